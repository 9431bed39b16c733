package testkit

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"

	"kobling/internal/embedded"
)

// NATSServer is a NATS server with JetStream that is one test's alone.
type NATSServer struct{ *embedded.NATS }

// NATSOption changes the server that [NATS] starts.
type NATSOption func(*embedded.NATSOptions)

// Durable has the server write to disk before it acknowledges, as the product
// does. Tests that only need the messages are faster without.
func Durable() NATSOption { return func(o *embedded.NATSOptions) { o.Throwaway = false } }

// Listening has the server listen on a free port of 127.0.0.1, for what has to
// be reached at a ClientURL: as [embedded.LocalUser] with its Password.
func Listening() NATSOption {
	return func(o *embedded.NATSOptions) { o.Listen = "127.0.0.1:0" }
}

// NATS starts a server in this process and stops it when the test ends. Stop
// and Restart may be called earlier, as faults.
func NATS(tb testing.TB, options ...NATSOption) *NATSServer {
	tb.Helper()
	o := embedded.NATSOptions{Dir: tb.TempDir(), Throwaway: true, Log: zap.NewNop()}
	for _, option := range options {
		option(&o)
	}
	ctx, cancel := context.WithTimeout(context.Background(), setupLimit)
	defer cancel()
	n, err := embedded.StartNATS(ctx, o)
	if err != nil {
		tb.Fatal("testkit:", err)
	}
	tb.Cleanup(n.Stop)
	return &NATSServer{n}
}

// Connect returns a connection with every right, made without the network. It
// comes back by itself after a Restart and is closed when the test ends.
func (s *NATSServer) Connect(tb testing.TB, options ...nats.Option) *nats.Conn {
	tb.Helper()
	options = append([]nats.Option{s.ConnectOption(), nats.MaxReconnects(-1), nats.ReconnectWait(20 * time.Millisecond)}, options...)
	return connect(tb, "", options...)
}

// ConnectLocal returns a connection as another process of the machine has it:
// over TCP, as [embedded.LocalUser]. The server must be [Listening].
func (s *NATSServer) ConnectLocal(tb testing.TB, options ...nats.Option) *nats.Conn {
	tb.Helper()
	return connect(tb, s.ClientURL(), append(options, nats.UserInfo(embedded.LocalUser, s.Password()))...)
}

func connect(tb testing.TB, url string, options ...nats.Option) *nats.Conn {
	tb.Helper()
	quiet := nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}) // the default writes to standard error
	nc, err := nats.Connect(url, append([]nats.Option{quiet}, options...)...)
	if err != nil {
		tb.Fatal("testkit:", err)
	}
	tb.Cleanup(nc.Close)
	return nc
}

// ExternalNATS returns the address of the NATS server that the tests of the
// whole way were told to use, "" for one of their own.
func ExternalNATS() string {
	if u := os.Getenv("KOBLING_TEST_NATS_URL"); u != "" {
		return u
	}
	return os.Getenv("KOBLING_NATS_URL")
}
