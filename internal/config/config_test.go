package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kobling/internal/config"
)

// env is a Source with only the given environment.
func env(kv map[string]string) config.Source {
	return config.Source{
		Lookup: func(k string) (string, bool) { v, ok := kv[k]; return v, ok },
		Environ: func() []string {
			var all []string
			for k, v := range kv {
				all = append(all, k+"="+v)
			}
			return all
		},
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kobling.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAStrongerSourceWins(t *testing.T) {
	t.Parallel()
	file := write(t, "log-level: debug\nnats-listen: 127.0.0.1:1\nhttp-listen: 127.0.0.1:1\ndata-dir: /srv/kobling\nroles: [api, match]\n")
	src := env(map[string]string{"KOBLING_NATS_LISTEN": "127.0.0.1:2", "KOBLING_HTTP_LISTEN": "127.0.0.1:2"})
	src.File, src.Flags = file, map[string]string{"http-listen": "127.0.0.1:3"}
	cfg, origin, err := config.Load(src)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, got, want, from string }{
		{"drain-timeout", cfg.DrainTimeout.String(), (20 * time.Second).String(), "default"},
		{"log-level", cfg.LogLevel, "debug", file},
		{"nats-listen", cfg.NATSListen, "127.0.0.1:2", "environment"},
		{"http-listen", cfg.HTTPListen, "127.0.0.1:3", "flag"},
		{"data-dir", cfg.DataDir, "/srv/kobling", file},
		{"roles", strings.Join(cfg.Roles, "+"), "api+match", file},
	} {
		if tt.got != tt.want || origin[tt.name] != tt.from {
			t.Errorf("%s = %q from %s, want %q from %s", tt.name, tt.got, origin[tt.name], tt.want, tt.from)
		}
	}
}

func TestEveryBadSettingIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	_, _, err := config.Load(env(map[string]string{
		"KOBLING_DATA_DIR": "/srv/kobling", "KOBLING_LOG_LEVEL": "loud", "KOBLING_ROLES": "api,cook",
		"KOBLING_DATABASE_URL": "mysql://secret@db", "KOBLING_MAIL_FROM": "nobody", "KOBLING_REMATCH_SHARE": "0",
	}))
	if err == nil {
		t.Fatal("Load accepted bad settings")
	}
	for _, want := range []string{"log-level", "cook", "database-url", "mail-from", "rematch-share"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not name %s:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error shows a secret:\n%v", err)
	}
}

func TestUnknownSettingsAreRefusedWithASuggestion(t *testing.T) {
	t.Parallel()
	src := env(nil)
	src.File = write(t, "data-dir: /srv/kobling\nnats-lisen: 127.0.0.1:1\n")
	if _, _, err := config.Load(src); err == nil || !strings.Contains(err.Error(), ":2: ") || !strings.Contains(err.Error(), `did you mean "nats-listen"?`) {
		t.Errorf("file: %v, want line 2 and a suggestion", err)
	}
	if _, _, err := config.Load(env(map[string]string{"KOBLING_DATABSE_URL": "x"})); err == nil || !strings.Contains(err.Error(), "KOBLING_DATABASE_URL") {
		t.Errorf("environment: %v, want a suggestion", err)
	}
}

func TestSecretsComeFromFilesAndAreNeverPrinted(t *testing.T) {
	t.Parallel()
	path := write(t, "postgres://kobling:hunter2@db/kobling\n")
	cfg, _, err := config.Load(env(map[string]string{"KOBLING_DATA_DIR": "/srv/k", "KOBLING_DATABASE_URL_FILE": path}))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := cfg.DatabaseURL.Reveal(), "postgres://kobling:hunter2@db/kobling"; got != want {
		t.Errorf("DatabaseURL = %q, want %q", got, want)
	}
	asJSON, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var shown strings.Builder
	fmt.Fprintf(&shown, "%s %v %+v %#v %s %q", asJSON, cfg, cfg, cfg, cfg.DatabaseURL, cfg.DatabaseURL)
	for _, s := range config.Settings() {
		shown.WriteString(cfg.Text(s))
	}
	if strings.Contains(shown.String(), "hunter2") {
		t.Error("a secret was printed")
	}
}

func TestTheTemplateIsAValidFileOfDefaults(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"as written":  config.Template(),
		"uncommented": uncomment(config.Template()),
	} {
		src := env(nil)
		src.File, src.Flags = write(t, text), map[string]string{"data-dir": "/srv/kobling"}
		if _, _, err := config.Load(src); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// uncomment makes every commented setting count.
func uncomment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(rest, " ") || strings.HasPrefix(line, "#  ") {
			line = rest
		}
		b.WriteString(line)
	}
	return b.String()
}

func TestTenants(t *testing.T) {
	t.Parallel()
	src := env(map[string]string{"KOBLING_DATA_DIR": "/srv/kobling"})
	src.File = write(t, "clusters:\n  - {id: a, name: A, review: true}\nnetworks:\n  - {id: n, name: N, clusters: [a, b]}\n")
	cfg, _, err := config.Load(src)
	if err == nil || !strings.Contains(err.Error(), `cluster "b"`) {
		t.Errorf("Load = %v, want the unknown cluster named", err)
	}
	if len(cfg.Clusters) != 1 || !cfg.Clusters[0].Review {
		t.Errorf("Clusters = %+v", cfg.Clusters)
	}
}
