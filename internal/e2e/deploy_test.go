package e2e_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// TestTheNATSConfigurationIsRead reads deploy/nats.conf as the server does.
func TestTheNATSConfigurationIsRead(t *testing.T) { //nolint:paralleltest // sets the environment
	for _, name := range []string{"KOBLING_SERVICE_PASSWORD", "VAKTSOM_PASSWORD", "NATS_ADMIN_PASSWORD"} {
		t.Setenv(name, "Of-tests-only")
	}
	o, err := server.ProcessConfigFile("../../deploy/nats.conf")
	if err != nil {
		t.Fatal(err)
	}
	if !o.SyncAlways {
		t.Error("acknowledged messages would be lost with the power")
	}
	if o.MaxPayload != 256<<10 && o.MaxPayload != 256_000 {
		t.Errorf("max_payload = %d, want 256 KB", o.MaxPayload)
	}
	producers := 0
	for _, u := range o.Users {
		if u.Permissions == nil {
			continue
		}
		producers++
		if allow := u.Permissions.Publish.Allow; len(allow) != 1 || allow[0] != "intake.*."+u.Username+".>" {
			t.Errorf("%s may publish %v, want its own profiles only", u.Username, allow)
		}
		for _, subject := range u.Permissions.Subscribe.Allow {
			if !strings.Contains(subject, "."+u.Username+".") {
				t.Errorf("%s may hear %s", u.Username, subject)
			}
		}
	}
	if producers == 0 {
		t.Error("no producer is shown")
	}
}

// TestTheUnitStartsTheService compares the systemd unit with the command.
func TestTheUnitStartsTheService(t *testing.T) {
	t.Parallel()
	unit, err := os.ReadFile("../../deploy/kobling.service")
	if err != nil {
		t.Fatal(err)
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(unit), "ExecStart=/usr/local/bin/kobling ")
	if !ok {
		t.Fatal("the unit starts something else")
	}
	line, _, _ := strings.Cut(rest, "\n")
	checkFlags(t, path, line)
	docker, err := os.ReadFile("../../deploy/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok = strings.Cut(string(docker), "CMD [")
	if !ok {
		t.Fatal("the image has no command")
	}
	line, _, _ = strings.Cut(rest, "]")
	checkFlags(t, path, strings.ReplaceAll(strings.ReplaceAll(line, `"`, ""), ",", ""))
}

// checkFlags reports every flag of a command line that its command does not have.
func checkFlags(t *testing.T, path, line string) {
	t.Helper()
	words := strings.Fields(line)
	help, err := exec.CommandContext(t.Context(), path, words[0], "--help").Output()
	if err != nil {
		t.Fatalf("%s --help: %v", words[0], err)
	}
	for _, w := range words[1:] {
		if strings.HasPrefix(w, "--") && !strings.Contains(string(help), w+"=") {
			t.Errorf("%s has no flag %s", words[0], w)
		}
	}
}
