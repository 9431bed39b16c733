package e2e_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"kobling/internal/app"
	"kobling/internal/testkit"
)

// section returns the shell blocks under a heading of the README.
func section(t *testing.T, heading string) []string {
	t.Helper()
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "\n## "+heading+"\n")
	if !ok {
		t.Fatalf("README.md has no section %q", heading)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	var blocks []string
	for {
		_, after, ok := strings.Cut(rest, "```sh\n")
		if !ok {
			return blocks
		}
		block, after, _ := strings.Cut(after, "```")
		blocks, rest = append(blocks, block), after
	}
}

// TestTheReadmePublishesAFirstNeed runs the README's commands as they stand,
// with the data directory and the ports of the test.
func TestTheReadmePublishesAFirstNeed(t *testing.T) {
	t.Parallel()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	data, work := testkit.PassableDir(t), t.TempDir()
	blocks := section(t, "Publish your first need")
	if len(blocks) < 4 {
		t.Fatalf("%d blocks of commands, want serve, publish, nats and import", len(blocks))
	}
	if err := os.Mkdir(filepath.Join(work, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, filepath.Join(work, "bin", "kobling")); err != nil {
		t.Fatal(err)
	}
	sh := func(script string) string {
		t.Helper()
		script = strings.ReplaceAll(script, "/tmp/kobling", data)
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
		cmd.Dir = work
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s\n%s", err, script, out.String())
		}
		return out.String()
	}

	serve, ok := strings.CutPrefix(blocks[0], "make build\n")
	if !ok {
		t.Fatalf("the first block does not begin with make build:\n%s", blocks[0])
	}
	serve = strings.ReplaceAll(strings.TrimSpace(serve), "/tmp/kobling", data)
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "bash", "-c", "exec "+serve+" --nats-listen 127.0.0.1:0 --http-listen 127.0.0.1:0")
	cmd.Dir, cmd.Cancel = work, func() error { return cmd.Process.Signal(os.Interrupt) }
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 0 {
			t.Errorf("serve: %v\n%s", err, log.String())
		}
	}()
	testkit.Eventually(t, limit, "the service runs", func() bool {
		_, err := app.ReadRunInfo(data)
		return err == nil && exec.CommandContext(t.Context(), path, "status", "--data-dir", data).Run() == nil
	})

	out := sh(blocks[1])
	for _, want := range []string{"need.vaktsom.dispenser is published", "test_place.oulun-testikoti.koti is published", "The suggestion is shown."} {
		if !strings.Contains(out, want) {
			t.Errorf("the commands did not print %q:\n%s", want, out)
		}
	}
	testkit.Eventually(t, limit, "Aino's mail lies in the data directory", func() bool {
		files, err := filepath.Glob(filepath.Join(data, "mail", "*.eml"))
		return err == nil && len(files) == 1
	})

	// The nats tool is not at hand everywhere: its words are published for it.
	if !strings.Contains(blocks[2], "nats pub intake.need.vaktsom.sensor") {
		t.Fatalf("the third block does not publish with nats:\n%s", blocks[2])
	}
	body := blocks[2][strings.Index(blocks[2], `'{`)+1 : strings.LastIndex(blocks[2], `'`)]
	user, password, url := credentials(t, data)
	nc := dial(t, url, user, password)
	if err := nc.Publish("intake.need.vaktsom.sensor", []byte(body)); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, limit, "the need of the nats tool is published", func() bool {
		out, err := exec.CommandContext(t.Context(), path, "search", "--data-dir", data, "--json", "fallsensor").Output()
		return err == nil && bytes.Contains(out, []byte("need.vaktsom.sensor"))
	})
	sh("bin/kobling withdraw --data-dir /tmp/kobling need.vaktsom.dispenser")
	if out := sh("bin/kobling suggestions --data-dir /tmp/kobling --json"); strings.Contains(out, "need.vaktsom.dispenser") {
		t.Errorf("a withdrawn need is still suggested:\n%s", out)
	}

	for line := range strings.SplitSeq(strings.ReplaceAll(blocks[3], "\\\n", " "), "\n") {
		if strings.Contains(line, "offers.csv") {
			sh("printf 'kind,org,local,organisation.name,organisation.type,texts.da.title\\noffer,dtu,fald,DTU,university,Faldsensorer til hjemmet\\n' > offers.csv\n" + line + " --data-dir /tmp/kobling")
		}
		if strings.Contains(line, "projects.jsonl.gz") {
			sh(`echo '{"_id":"2026-1","organisation":"KTH","title_sv":"Fallsensorer","abstract_sv":"Sensorer i hemmet"}' | gzip > projects.jsonl.gz` + "\n" + line + " --data-dir /tmp/kobling")
		}
	}
}

// credentials are what the README reads out of run.json.
func credentials(t *testing.T, data string) (user, password, url string) {
	t.Helper()
	info, err := app.ReadRunInfo(data)
	if err != nil {
		t.Fatal(err)
	}
	return info.NATSUser, info.NATSPassword, info.NATSURL
}
