package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"kobling/internal/app"
	"kobling/internal/config"
	"kobling/internal/profile"
	"kobling/internal/testkit"
)

// TestMain puts the program on the path of the scripts, as it ships: with the race
// detector its start takes ten times as long, and the packages are tested with it.
func TestMain(m *testing.M) { os.Exit(withProgram(m)) }

func withProgram(m *testing.M) int {
	dir, err := os.MkdirTemp("", "kobling-scripts-*")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is a temporary one
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "kobling"), ".").CombinedOutput()
	if err != nil {
		panic(string(out))
	}
	if err := os.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH")); err != nil {
		panic(err)
	}
	return m.Run()
}

// TestScripts runs testdata/script/*.txtar, each in a folder of its own, with
// $DATA as the data directory and with free ports. Besides what testscript knows
// there are:
//
//	exits CODE program args…   the program ends with that code
//	await [ID]…                until the service of $DATA answers, and these are matched
//	rematched EPOCH            until that epoch's re-match has found a suggestion
//	json [PATH[=VALUE]]…       what was printed is JSON, and has these values
//	jsonenv NAME PATH          keeps a value of it as $NAME
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("scripts: %v, %v", files, err)
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATA", testkit.PassableDir(t))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("KOBLING_DATA_DIR", env.Getenv("DATA"))
			env.Setenv("KOBLING_NATS_LISTEN", "127.0.0.1:0")
			env.Setenv("KOBLING_HTTP_LISTEN", "127.0.0.1:0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"await": func(ts *testscript.TestScript, _ bool, ids []string) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				ts.Check(await(ctx, ts.Getenv("DATA"), ids))
			},
			"rematched": func(ts *testscript.TestScript, _ bool, args []string) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				ts.Check(rematched(ctx, ts.Getenv("DATA"), args[0]))
			},
			"json": func(ts *testscript.TestScript, _ bool, args []string) {
				for _, arg := range append(args, "") {
					path, want, valued := strings.Cut(arg, "=")
					if got := printed(ts, path); valued && got != want {
						ts.Fatalf("%s is %s, want %s", path, got, want)
					}
				}
			},
			"jsonenv": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Setenv(args[0], printed(ts, args[1]))
			},
		},
	})
}

func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if e := (*exec.ExitError)(nil); errors.As(err, &e) {
		code = e.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// printed returns the value at a path such as 0.id in what the last program
// printed; at "" is all of it.
func printed(ts *testscript.TestScript, path string) string {
	var v any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &v); err != nil {
		ts.Fatalf("no JSON was printed: %v", err)
	}
	for name := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			if v = at[name]; v == nil && name != "" {
				ts.Fatalf("nothing at %s of %s", name, path)
			}
		case []any:
			if i, err := strconv.Atoi(name); err == nil && i < len(at) {
				v = at[i]
			} else if name != "" {
				ts.Fatalf("nothing at %s of %s", name, path)
			}
		default:
			ts.Fatalf("nothing below %s at %s", path, name)
		}
	}
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	ts.Check(err)
	return string(b)
}

// await asks the service of a data directory for the state of profiles until it
// answers, and all of them are matched.
func await(ctx context.Context, dir string, ids []string) error {
	cfg, _, err := config.Load(config.Source{Flags: map[string]string{"data-dir": dir}})
	if err != nil {
		return err
	}
	var client *app.Client
	defer func() {
		if client != nil {
			client.Close()
		}
	}()
	for {
		if client == nil {
			client, err = app.Dial(ctx, cfg) // nil with an error
		}
		if err == nil {
			ids, err = unmatched(ctx, client, ids)
		}
		if err == nil && len(ids) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%v are not matched: %w, %w", ids, ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
			err = nil
		}
	}
}

// rematched asks the service of a data directory until an epoch has brought a
// suggestion.
func rematched(ctx context.Context, dir, epoch string) error {
	cfg, _, err := config.Load(config.Source{Flags: map[string]string{"data-dir": dir}})
	if err != nil {
		return err
	}
	client, err := app.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	for {
		s, err := client.Status(ctx)
		if err == nil && strconv.Itoa(s.Epoch) == epoch && s.Suggestions > 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no suggestion of epoch %s: %w, %w", epoch, ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func unmatched(ctx context.Context, client *app.Client, ids []string) ([]string, error) {
	if _, err := client.Status(ctx); err != nil {
		return ids, err
	}
	for len(ids) > 0 {
		r, err := client.Receipt(ctx, profile.ID(ids[0]), 0)
		if err != nil || !r.Matched {
			return ids, err
		}
		ids = ids[1:]
	}
	return ids, nil
}
