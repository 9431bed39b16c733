package embedded_test

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"

	"kobling/internal/embedded"
)

func startNATS(t *testing.T, o embedded.NATSOptions) *embedded.NATS {
	t.Helper()
	o.Log = zap.NewNop()
	n, err := embedded.StartNATS(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

func connect(t *testing.T, url string, options ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// next waits for what comes next on a channel.
func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came within 10s")
		panic("unreachable")
	}
}

func TestNATSKeepsStreamsAndKeysFromStartToStart(t *testing.T) {
	t.Parallel()

	dir := filepath.Join(t.TempDir(), "nats")
	first := startNATS(t, embedded.NATSOptions{Dir: dir, Listen: "127.0.0.1:0"})
	if err := publish(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	first.Stop()
	for name, want := range map[string]os.FileMode{"": 0o700, "local.password": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %q = %s, want %s", name, got, want)
		}
	}

	second := startNATS(t, embedded.NATSOptions{Dir: dir})
	if first.Password() != second.Password() || len(second.Password()) < 20 {
		t.Error("the local password is not the one of the first start")
	}
	if second.ClientURL() != "" {
		t.Errorf("ClientURL = %q, want none", second.ClientURL())
	}
	js, err := jetstream.New(connect(t, "", second.ConnectOption()))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), "KEPT")
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.CachedInfo().State.Msgs; got != acknowledged {
		t.Errorf("%d messages, want %d", got, acknowledged)
	}
}

func TestNATSRestartBringsConnectionsBack(t *testing.T) {
	t.Parallel()

	n := startNATS(t, embedded.NATSOptions{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	back := make(chan struct{}, 2)
	options := []nats.Option{
		nats.MaxReconnects(-1),
		nats.ReconnectWait(10 * time.Millisecond),
		nats.ReconnectHandler(func(*nats.Conn) { back <- struct{}{} }),
	}
	connect(t, "", append(options, n.ConnectOption())...)
	connect(t, n.ClientURL(), append(options, nats.UserInfo(embedded.LocalUser, n.Password()))...)
	if err := n.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	next(t, back)
	next(t, back)
}

func TestNATSKnowsNobodyAnonymous(t *testing.T) {
	t.Parallel()

	n := startNATS(t, embedded.NATSOptions{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	for name, options := range map[string][]nats.Option{
		"anonymous":      nil,
		"wrong password": {nats.UserInfo(embedded.LocalUser, "guess")},
	} {
		if nc, err := nats.Connect(n.ClientURL(), options...); !errors.Is(err, nats.ErrAuthorization) {
			nc.Close()
			t.Errorf("%s: connect = %v, want ErrAuthorization", name, err)
		}
	}
}

func TestLocalClientMayProduceAndNoMore(t *testing.T) {
	t.Parallel()

	n := startNATS(t, embedded.NATSOptions{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	service := connect(t, "", n.ConnectOption())
	js, err := jetstream.New(service)
	if err != nil {
		t.Fatal(err)
	}
	for name, subjects := range map[string][]string{
		"INTAKE":   {"intake.*.*.*", "control.*.*.*"},
		"PROFILES": {"profiles.*.*.*"},
		"EVENTS":   {"rejections.*.*.*"},
	} {
		if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: name, Subjects: subjects, AllowDirect: true}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := js.Publish(t.Context(), "rejections.need.org.1", []byte("why")); err != nil {
		t.Fatal(err)
	}

	refused := make(chan error, 1)
	local := connect(t, n.ClientURL(), nats.UserInfo(embedded.LocalUser, n.Password()),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	ljs, err := jetstream.New(local)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ljs.Publish(t.Context(), "intake.need.org.1", []byte("{}")); err != nil {
		t.Errorf("publish a need: %v", err)
	}
	if _, err := ljs.AccountInfo(t.Context()); err != nil {
		t.Errorf("ask whether there is JetStream: %v", err)
	}
	if _, err := local.SubscribeSync("rejections.need.org.>"); err != nil {
		t.Errorf("listen to rejections: %v", err)
	}
	if msg, err := local.Request("$JS.API.DIRECT.GET.EVENTS.rejections.need.org.1", nil, 5*time.Second); err != nil || string(msg.Data) != "why" {
		t.Errorf("last rejection = %v, %v; want \"why\"", msg, err)
	}

	for _, subject := range []string{
		"profiles.need.org.1",
		"control.need.org.1",
		"$JS.API.STREAM.PURGE.INTAKE",
		"$JS.API.STREAM.DELETE.INTAKE",
		"$JS.API.STREAM.CREATE.MINE",
		"$JS.API.CONSUMER.CREATE.PROFILES",
		"$JS.API.DIRECT.GET.PROFILES.profiles.need.org.1",
	} {
		if err := local.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		if err := next(t, refused); !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("publish to %s: %v, want a permissions violation", subject, err)
		}
	}
	for _, subject := range []string{"profiles.>", "intake.>", ">"} {
		if _, err := local.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		if err := next(t, refused); !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("subscribe to %s: %v, want a permissions violation", subject, err)
		}
	}
}

func TestTheOperatorMayReadAllAndWriteNothing(t *testing.T) {
	t.Parallel()

	n := startNATS(t, embedded.NATSOptions{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	js, err := jetstream.New(connect(t, "", n.ConnectOption()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "PROFILES", Subjects: []string{"profiles.*.*.*"}, AllowDirect: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "profiles.need.org.1", []byte("who")); err != nil {
		t.Fatal(err)
	}
	refused := make(chan error, 1)
	operator := connect(t, n.ClientURL(), nats.UserInfo(embedded.OperatorUser, n.OperatorPassword()),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refused <- err }))
	ojs, err := jetstream.New(operator)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ojs.Stream(t.Context(), "PROFILES")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.GetMsg(t.Context(), 1); err != nil || string(m.Data) != "who" {
		t.Errorf("first message = %v, %v; want \"who\"", m, err)
	}
	for _, subject := range []string{
		"profiles.need.org.1",
		"control.need.org.1",
		"intake.need.org.1",
		"$JS.API.STREAM.PURGE.PROFILES",
		"$JS.API.STREAM.DELETE.PROFILES",
		"$JS.API.STREAM.UPDATE.PROFILES",
		"$JS.API.STREAM.RESTORE.PROFILES",
		"$JS.API.STREAM.MSG.DELETE.PROFILES",
		"$JS.API.CONSUMER.DELETE.PROFILES.match",
		"$JS.API.CONSUMER.CREATE.PROFILES.match",
	} {
		if err := operator.Publish(subject, nil); err != nil {
			t.Fatal(err)
		}
		if err := next(t, refused); !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("publish to %s: %v, want a permissions violation", subject, err)
		}
	}
	if n.OperatorPassword() == n.Password() {
		t.Error("both users have one password")
	}
}

// Other processes of the service get in only when the server expects them.
func TestOnlyAnExpectedServiceMayDoEverything(t *testing.T) {
	t.Parallel()

	n := startNATS(t, embedded.NATSOptions{Dir: t.TempDir(), Listen: "127.0.0.1:0", Service: true})
	service := connect(t, n.ClientURL(), nats.UserInfo(embedded.ServiceUser, n.ServicePassword()))
	js, err := jetstream.New(service)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "PROFILES", Subjects: []string{"profiles.*.*.*"}}); err != nil {
		t.Errorf("the service cannot make a stream: %v", err)
	}
	closed := startNATS(t, embedded.NATSOptions{Dir: t.TempDir(), Listen: "127.0.0.1:0"})
	for _, password := range []string{closed.ServicePassword(), n.ServicePassword()} {
		if nc, err := nats.Connect(closed.ClientURL(), nats.UserInfo(embedded.ServiceUser, password)); err == nil {
			nc.Close()
			t.Errorf("with password %q a service comes in that nobody expects", password)
		}
	}
}

func TestNATSSaysThatItsPortIsTaken(t *testing.T) {
	t.Parallel()

	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	dir, address := t.TempDir(), taken.Addr().String()
	_, err = embedded.StartNATS(t.Context(), embedded.NATSOptions{Dir: dir, Listen: address, Log: zap.NewNop()})
	if err == nil || !strings.Contains(err.Error(), address) || !strings.Contains(err.Error(), "in use") {
		t.Fatalf("start = %v, want that %s is in use", err, address)
	}
	startNATS(t, embedded.NATSOptions{Dir: dir}) // the directory was given up
}
