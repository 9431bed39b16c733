package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"

	"kobling/internal/testkit"
)

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"kobling": main}) }

// TestScripts runs testdata/script/*.txtar, each in a folder of its own. $DATA is
// a data directory, and "await" waits until the service there answers.
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
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"await": func(ts *testscript.TestScript, _ bool, _ []string) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				ts.Check(await(ctx, ts.Getenv("DATA")))
			},
		},
	})
}

// await asks the service of a data directory for its status until it answers.
func await(ctx context.Context, dir string) error {
	for {
		err := run(ctx, []string{"status", "--data-dir", dir}, streams{out: io.Discard, err: io.Discard})
		if err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestEveryCommandHasAnExample walks all commands, also those to come.
func TestEveryCommandHasAnExample(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&cli{}, kong.Name("kobling"), kong.Vars{"flags": ""})
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		words := strings.Fields(leaf.FullPath())
		var out strings.Builder
		if err := run(t.Context(), append(words[1:], "--help"), streams{out: &out, err: &out}); err != nil {
			t.Errorf("%s --help: %v", leaf.FullPath(), err)
		}
		if !strings.Contains(out.String(), "Example: "+leaf.FullPath()) {
			t.Errorf("%s --help shows no example:\n%s", leaf.FullPath(), out.String())
		}
	}
}
