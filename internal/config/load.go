package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Source is where settings come from. The zero Source gives the defaults.
type Source struct {
	// File is the path of the configuration file; "" means KOBLING_CONFIG, or
	// none.
	File string
	// Flags are the settings given on the command line, by name.
	Flags map[string]string
	// Lookup reads the environment: os.LookupEnv outside tests.
	Lookup func(string) (string, bool)
	// Environ lists the environment as KEY=value, to find misspelt settings:
	// os.Environ outside tests.
	Environ func() []string
}

// FromProcess is the Source of a real process.
func FromProcess(file string, flags map[string]string) Source {
	return Source{File: file, Flags: flags, Lookup: os.LookupEnv, Environ: os.Environ}
}

// Setting is one named setting of [Config].
type Setting struct {
	Name    string // "nats-url"
	Env     string // "KOBLING_NATS_URL"
	Help    string
	Default string
	Secret  bool
	index   int
}

// notSettings are variables with our prefix that are read elsewhere.
var notSettings = []string{"KOBLING_CONFIG", "KOBLING_EVAL_DATA", "KOBLING_TEST_DATABASE_URL", "KOBLING_TEST_NATS_URL"}

// Settings lists every setting in the order of [Config].
func Settings() []Setting {
	var all []Setting
	for i, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		name := f.Tag.Get("name")
		if name == "" {
			continue
		}
		all = append(all, Setting{
			Name:    name,
			Env:     "KOBLING_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_")),
			Help:    f.Tag.Get("help"),
			Default: f.Tag.Get("default"),
			Secret:  f.Type == reflect.TypeFor[Secret](),
			index:   i,
		})
	}
	return all
}

// Origin says where each setting's value came from: "default", "flag",
// "environment", or the file's path; by name.
type Origin map[string]string

// Load reads, merges and checks the settings. The error names every bad setting,
// a line each.
func Load(src Source) (Config, Origin, error) {
	if src.Lookup == nil {
		src.Lookup = func(string) (string, bool) { return "", false }
	}
	if src.File == "" {
		src.File, _ = src.Lookup("KOBLING_CONFIG")
	}
	var cfg Config
	file, err := readFile(src.File, &cfg)
	if err != nil {
		return cfg, nil, err
	}
	origin := Origin{}
	var errs []error
	v := reflect.ValueOf(&cfg).Elem()
	for _, s := range Settings() {
		text, from, err := src.value(s, file)
		if err == nil {
			origin[s.Name] = from
			err = set(v.Field(s.index), text)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s (from %s): %w", s.Name, from, err))
		}
	}
	errs = append(errs, src.misspelt()...)
	if cfg.DataDir == "" {
		cfg.DataDir, err = defaultDataDir(src.Lookup)
		errs = append(errs, err)
	} else if abs, err := filepath.Abs(cfg.DataDir); err == nil {
		cfg.DataDir = abs
	}
	if err := errors.Join(errs...); err != nil {
		return cfg, origin, err
	}
	return cfg, origin, cfg.Check()
}

// value returns the text of s from the strongest source that has it.
func (src Source) value(s Setting, file map[string]string) (text, from string, err error) {
	if t, ok := src.Flags[s.Name]; ok {
		return t, "flag", nil
	}
	if t, ok := src.Lookup(s.Env); ok {
		return t, "environment", nil
	}
	if s.Secret {
		if path, ok := src.Lookup(s.Env + "_FILE"); ok {
			b, err := os.ReadFile(path) //nolint:gosec // the operator names the file
			if err != nil {
				return "", "environment", fmt.Errorf("read %s_FILE: %w", s.Env, err)
			}
			return strings.TrimRight(string(b), "\r\n"), "environment", nil
		}
	}
	if t, ok := file[s.Name]; ok {
		return t, src.File, nil
	}
	return s.Default, "default", nil
}

// misspelt finds variables with our prefix that are no setting.
func (src Source) misspelt() []error {
	if src.Environ == nil {
		return nil
	}
	known := map[string]bool{}
	names := []string{}
	for _, s := range Settings() {
		known[s.Env] = true
		known[s.Env+"_FILE"] = s.Secret
		names = append(names, s.Env)
	}
	for _, n := range notSettings {
		known[n] = true
	}
	var errs []error
	for _, kv := range src.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		if strings.HasPrefix(name, "KOBLING_") && !known[name] {
			errs = append(errs, fmt.Errorf("environment variable %s is no setting%s", name, suggest(name, names)))
		}
	}
	return errs
}

// set parses text into a field of Config.
func set(field reflect.Value, text string) error {
	switch field.Interface().(type) {
	case string, Secret:
		field.SetString(text)
	case time.Duration:
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("not a duration such as 20s: %q", text)
		}
		field.SetInt(int64(d))
	case int, int64:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("not a whole number: %q", text)
		}
		field.SetInt(n)
	case []string:
		var list []string
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		field.Set(reflect.ValueOf(list))
	default:
		return fmt.Errorf("setting of type %s cannot be read", field.Type())
	}
	return nil
}

// Text returns a setting's value as it would be written in the file; a secret
// is redacted.
func (c *Config) Text(s Setting) string {
	return Format(reflect.ValueOf(c).Elem().Field(s.index).Interface())
}

// Format returns a setting's value as text that Load can read again, except
// that a secret is redacted.
func Format(v any) string {
	if list, ok := v.([]string); ok {
		return strings.Join(list, ",")
	}
	return fmt.Sprint(v)
}

// defaultDataDir follows the XDG base directories; root gets /var/lib/kobling,
// because the account that PostgreSQL runs under must be able to enter it.
func defaultDataDir(lookup func(string) (string, bool)) (string, error) {
	if os.Geteuid() == 0 {
		return "/var/lib/kobling", nil
	}
	if dir, ok := lookup("XDG_DATA_HOME"); ok && filepath.IsAbs(dir) {
		return filepath.Join(dir, "kobling"), nil
	}
	if home, ok := lookup("HOME"); ok && filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "share", "kobling"), nil
	}
	return "", errors.New("data-dir: no home directory is known; set --data-dir")
}

// missing reports whether err says that a file does not exist.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
