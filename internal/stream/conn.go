package stream

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"
	"go.uber.org/zap"

	"kobling/internal/fault"
)

// Times of a connection.
const (
	connectWait    = 10 * time.Second       // for the first connection
	reconnectPause = 250 * time.Millisecond // between attempts, plus jitter
	requestTimeout = 5 * time.Second        // for one answer of the server
	flushTimeout   = 2 * time.Second        // for the last acknowledgements
)

// Options say where the server is and who we are to it.
type Options struct {
	URL      string // one or several, with commas; empty with an in-process server
	Name     string // shown by the server's monitoring
	User     string
	Password string
	Token    string
	NkeySeed string
	TLS      *tls.Config
	// Driver is what an in-process server says is needed to reach it; it is
	// applied last.
	Driver []nats.Option
	// Wait bounds the wait for the first connection; 0 means 10 s.
	Wait time.Duration
	Log  *zap.Logger
}

// Conn is a connection that comes back by itself. It is safe for concurrent use.
type Conn struct {
	nc  *nats.Conn
	js  jetstream.JetStream
	log *zap.Logger
}

// Connect connects to the server and waits for it if it is not there yet. Once
// connected, the connection is re-established for ever; until it is, everything
// that needs it fails with fault.ErrUnavailable instead of being buffered.
func Connect(ctx context.Context, o Options) (*Conn, error) {
	log := o.Log
	if log == nil {
		log = zap.NewNop()
	}
	opts, err := o.driver(log)
	if err != nil {
		return nil, err
	}
	wait := o.Wait
	if wait <= 0 {
		wait = connectWait
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for attempt := uint64(1); ; attempt++ {
		nc, err := nats.Connect(o.URL, opts...)
		if err == nil {
			return newConn(nc, log)
		}
		if errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrAuthExpired) {
			return nil, fmt.Errorf("connect to NATS: %w: check user, password or nkey", err)
		}
		if !pause(ctx, backoff(attempt)) {
			return nil, fmt.Errorf("connect to NATS: %w: %w", fault.ErrUnavailable, err)
		}
	}
}

func newConn(nc *nats.Conn, log *zap.Logger) (*Conn, error) {
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout))
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("connect to NATS: %w", err)
	}
	return &Conn{nc: nc, js: js, log: log}, nil
}

// driver returns o as the client library wants it.
func (o Options) driver(log *zap.Logger) ([]nats.Option, error) {
	opts := []nats.Option{
		nats.Name(o.Name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectPause),
		nats.ReconnectBufSize(-1), // what cannot be sent now is not sent later behind our back
		nats.RetryOnFailedConnect(false),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				log.Warn("NATS connection lost", zap.Error(err))
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) {
			log.Info("NATS connection is back", zap.String("server", nc.ConnectedUrlRedacted()))
		}),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			log.Error("NATS reported an error", zap.String("subject", subject), zap.Error(err))
		}),
	}
	if o.User != "" {
		opts = append(opts, nats.UserInfo(o.User, o.Password))
	}
	if o.Token != "" {
		opts = append(opts, nats.Token(o.Token))
	}
	if o.TLS != nil {
		opts = append(opts, nats.Secure(o.TLS))
	}
	if o.NkeySeed != "" {
		key, err := nkeys.FromSeed([]byte(o.NkeySeed))
		if err != nil {
			return nil, fmt.Errorf("nkey seed: %w", err)
		}
		public, err := key.PublicKey()
		if err != nil {
			return nil, fmt.Errorf("nkey seed: %w", err)
		}
		opts = append(opts, nats.Nkey(public, key.Sign))
	}
	return append(opts, o.Driver...), nil
}

// Close sends what is still buffered, acknowledgements above all, and closes the
// connection. Nothing may be using it any more.
func (c *Conn) Close() {
	if c.nc.IsConnected() {
		if err := c.nc.FlushTimeout(flushTimeout); err != nil {
			c.log.Warn("last messages may not have been sent", zap.Error(err))
		}
	}
	c.nc.Close()
}

// onReconnect calls do when the connection comes back, until stop is called.
func (c *Conn) onReconnect(do func()) (stop func()) {
	back, done := c.nc.StatusChanged(nats.CONNECTED), make(chan struct{})
	go func() {
		defer close(done)
		for range back {
			do()
		}
	}()
	return func() { c.nc.RemoveStatusListener(back); <-done }
}

// Healthy returns nil while the connection stands.
func (c *Conn) Healthy() error {
	if s := c.nc.Status(); s != nats.CONNECTED {
		return fmt.Errorf("NATS connection is %s: %w", s, fault.ErrUnavailable)
	}
	return nil
}

// MaxPayload returns how many bytes one message may have.
func (c *Conn) MaxPayload() int64 { return c.nc.MaxPayload() }
