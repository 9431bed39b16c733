package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"kobling/internal/config"
)

// helpOfCommand is what --help prints after the words of a command.
func helpOfCommand(t *testing.T, words ...string) string {
	t.Helper()
	var out, errs strings.Builder
	if err := run(t.Context(), append(words, "--help"), streams{out: &out, err: &errs}); err != nil || errs.Len() > 0 {
		t.Errorf("%v --help: %v %s", words, err, errs.String())
	}
	return out.String()
}

// parse reads a command line as run does, without running it.
func parse(t *testing.T, words []string) (*kong.Kong, error) {
	t.Helper()
	parser, err := kong.New(&cli{}, kong.Name("kobling"), kong.ExplicitGroups(groups))
	if err != nil {
		t.Fatal(err)
	}
	if words != nil {
		_, err = parser.Parse(words)
	}
	return parser, err
}

var (
	shellWord   = regexp.MustCompile(`"[^"]*"|\S+`)
	exampleLine = regexp.MustCompile(`(?m)^Example: kobling (.*)$`)
)

// TestEveryCommandHasAnExample walks all commands, also those to come: the
// example stands on one line, to be copied, and is a command line of that command.
func TestEveryCommandHasAnExample(t *testing.T) {
	t.Parallel()
	parser, _ := parse(t, nil)
	leaves := parser.Model.Leaves(true)
	if len(leaves) < 20 {
		t.Fatalf("only %d commands were found", len(leaves))
	}
	for _, leaf := range leaves {
		path := strings.Fields(leaf.FullPath())[1:]
		t.Run(strings.Join(path, " "), func(t *testing.T) {
			t.Parallel()
			help := helpOfCommand(t, path...)
			found := exampleLine.FindStringSubmatch(help)
			if found == nil {
				t.Fatalf("no example:\n%s", help)
			}
			words := shellWord.FindAllString(found[1], -1)
			for i := range words {
				words[i] = strings.Trim(words[i], `"`)
			}
			if len(words) < len(path) || !slices.Equal(words[:len(path)], path) {
				t.Errorf("the example is of another command: %v", words)
			}
			if _, err := parse(t, words); err != nil {
				t.Errorf("the example is no command line: %v: %v", words, err)
			}
			for line := range strings.Lines(help) {
				if n := len([]rune(strings.TrimSuffix(line, "\n"))); n > 80 && !strings.HasPrefix(line, "Usage: ") {
					t.Errorf("a line of %d characters breaks in a terminal: %s", n, line)
				}
			}
		})
	}
}

// TestEveryFlagAndCommandIsExplained: a command has a group to stand in, and
// whatever is not hidden has a sentence that ends with a full stop.
func TestEveryFlagAndCommandIsExplained(t *testing.T) {
	t.Parallel()
	parser, _ := parse(t, nil)
	keys := map[string]bool{}
	for _, g := range groups {
		keys[g.Key] = true
	}
	top := helpOfCommand(t)
	for _, leaf := range parser.Model.Leaves(true) {
		name := strings.TrimPrefix(leaf.FullPath(), "kobling ")
		if g := leaf.ClosestGroup(); g == nil || !keys[g.Key] {
			t.Errorf("%s stands under no heading", name)
		}
		if !strings.Contains(top, "\n  "+name+" ") {
			t.Errorf("kobling --help does not list %s", name)
		}
		explained := map[string]string{name: leaf.Help}
		for _, flags := range leaf.AllFlags(true) {
			for _, f := range flags {
				if f.Name != "help" {
					explained[name+" --"+f.Name] = f.Help
				}
			}
		}
		for _, arg := range leaf.Positional {
			explained[name+" <"+arg.Name+">"] = arg.Help
		}
		for what, help := range explained {
			if len(help) < 5 || !strings.HasSuffix(help, ".") {
				t.Errorf("%s: %q is no sentence", what, help)
			}
		}
	}
	if help := helpOfCommand(t, "serve"); !strings.Contains(help, "127.0.0.1:4222") {
		t.Errorf("serve --help hides a default:\n%s", help)
	}
}

// TestEverySettingIsAFlagOfServe keeps the three ways of giving a setting alike.
func TestEverySettingIsAFlagOfServe(t *testing.T) {
	t.Parallel()
	help := helpOfCommand(t, "serve")
	for _, s := range config.Settings() {
		if !strings.Contains(help, "\n  --"+s.Name+"=") {
			t.Errorf("serve has no flag --%s", s.Name)
		}
	}
}

// advice is a command line in a text that a person reads: quoted in an error, or
// what mends a finding of the audit.
var advice = regexp.MustCompile(`(?:\\"|see: |with: |mend[A-Za-z]* += "|", ")kobling ([a-z][^"\\):]*)`)

// TestAdviceNamesCommandsThatExist reads the source: a start that refuses to go on
// says what to run, and an audit what mends its findings.
func TestAdviceNamesCommandsThatExist(t *testing.T) {
	t.Parallel()
	parser, _ := parse(t, nil)
	paths := map[string]bool{}
	for _, leaf := range parser.Model.Leaves(true) {
		paths[strings.TrimPrefix(leaf.FullPath(), "kobling ")] = true
	}
	found := map[string]bool{}
	for _, root := range []string{"../../internal", "."} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			b, err := os.ReadFile(path)
			for _, m := range advice.FindAllStringSubmatch(string(b), -1) {
				words := strings.Fields(m[1])
				if !paths[words[0]] && (len(words) < 2 || !paths[words[0]+" "+words[1]]) {
					t.Errorf("%s advises to run \"kobling %s\", which does not exist", path, m[1])
				}
				found[words[0]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"rebuild", "dlq", "migrate", "serve", "epoch"} {
		if !found[name] {
			t.Errorf("no advice to run kobling %s was found: this test reads nothing", name)
		}
	}
}
