package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// readFile reads the configuration file at path into name → text; the tenants
// go into cfg. An unknown key is refused with its line and the nearest name.
func readFile(path string, cfg *Config) (map[string]string, error) {
	if path == "" {
		return nil, nil
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
	if missing(err) {
		return nil, fmt.Errorf("configuration file %s does not exist; write one with: kobling config init %s", path, path)
	}
	if err != nil {
		return nil, err
	}
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, fmt.Errorf("configuration file %s: %w", path, err)
	}
	values := map[string]string{}
	var errs []error
	for _, doc := range f.Docs {
		entries, err := mapping(doc.Body)
		if err != nil {
			return nil, fmt.Errorf("configuration file %s: %w", path, err)
		}
		for _, e := range entries {
			if err := entry(e, cfg, values); err != nil {
				errs = append(errs, fmt.Errorf("%s:%d: %w", path, e.Key.GetToken().Position.Line, err))
			}
		}
	}
	return values, errors.Join(errs...)
}

func mapping(n ast.Node) ([]*ast.MappingValueNode, error) {
	switch n := n.(type) {
	case nil, *ast.CommentGroupNode:
		return nil, nil
	case *ast.MappingNode:
		return n.Values, nil
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}, nil
	}
	return nil, fmt.Errorf("want settings as name: value, got %s", n.Type())
}

func entry(e *ast.MappingValueNode, cfg *Config, values map[string]string) error {
	key := e.Key.GetToken().Value
	switch key {
	case "clusters":
		return yaml.NodeToValue(e.Value, &cfg.Clusters, yaml.DisallowUnknownField())
	case "networks":
		return yaml.NodeToValue(e.Value, &cfg.Networks, yaml.DisallowUnknownField())
	}
	names := []string{"clusters", "networks"}
	for _, s := range Settings() {
		names = append(names, s.Name)
	}
	if !slices.Contains(names, key) {
		return fmt.Errorf("unknown setting %q%s", key, suggest(key, names))
	}
	if _, twice := values[key]; twice {
		return fmt.Errorf("setting %q is given twice", key)
	}
	var v any
	if err := yaml.NodeToValue(e.Value, &v); err != nil {
		return err
	}
	if list, ok := v.([]any); ok {
		parts := make([]string, len(list))
		for i, p := range list {
			parts[i] = fmt.Sprint(p)
		}
		v = strings.Join(parts, ",")
	}
	if v == nil {
		v = ""
	}
	if k := reflect.TypeOf(v).Kind(); k == reflect.Map || k == reflect.Slice {
		return fmt.Errorf("setting %q wants one value", key)
	}
	values[key] = fmt.Sprint(v)
	return nil
}

// Template returns a configuration file with every setting commented out at its
// default, for "config init".
func Template() string {
	var b strings.Builder
	b.WriteString("# kobling configuration. Every setting can also be given as a flag (--name) or in\n" +
		"# the environment (KOBLING_NAME); a flag beats the environment, which beats this\n" +
		"# file. Secrets are better kept in a file named by KOBLING_…_FILE.\n")
	for _, s := range Settings() {
		fmt.Fprintf(&b, "\n# %s\n# %s\n", s.Help, s.Env)
		fmt.Fprintf(&b, "#%s: %s\n", s.Name, quote(s.Default))
	}
	b.WriteString(`
# The tenants. "default" always exists.
#clusters:
#  - id: fi-oulu
#    name: Oulu Health
#    enrolment: open   # open: any organisation may post; members: only known ones
#    review: false     # true: an advisor releases each profile
# Clusters of one network show each other their network-visible profiles.
#networks:
#  - id: norcare
#    name: NorCare
#    clusters: [fi-oulu, default]
`)
	return b.String()
}

func quote(s string) string {
	if s == "" || strings.ContainsAny(s, ":,<>#") {
		return `"` + s + `"`
	}
	return s
}

// suggest returns ", did you mean …?" for the nearest of names, or "".
func suggest(got string, names []string) string {
	best, at := "", len(got)/3+1
	for _, n := range names {
		if d := distance(strings.ToLower(got), strings.ToLower(n)); d <= at {
			best, at = n, d-1
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance is the Levenshtein distance between two short names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost++
			}
			prev = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
