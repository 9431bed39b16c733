package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
	"go.uber.org/zap"
)

const (
	maxPayload  = 256 << 10 // bytes; the largest canonical profile
	maxStore    = 32 << 30  // bytes that streams may reserve on disk together
	natsStartup = 30 * time.Second
)

// NATSOptions say where and how the embedded NATS server runs.
type NATSOptions struct {
	// Dir holds the streams, the key of local clients and the lock; it is made,
	// for this user alone, when missing.
	Dir string
	// Listen is the host:port for clients, port 0 for any free one; "" for none,
	// which leaves the server to this process alone.
	Listen string
	// Throwaway leaves it to the operating system when what was acknowledged
	// reaches the disk. For tests only.
	Throwaway bool
	// Service lets other processes of the service in, over TCP, as [ServiceUser]
	// with every right.
	Service bool
	Log     *zap.Logger
}

// NATS is a NATS server with JetStream inside this process.
//
// Nobody is anonymous. The process itself connects with [NATS.ConnectOption]
// and may do everything. Other processes of this machine connect over TCP as
// the user [LocalUser] with the password of [NATS.Password], and may publish
// profiles, ask the API and listen to what is told to producers; see
// localPermissions. Whoever looks after the installation connects as
// [OperatorUser]; see operatorPermissions.
type NATS struct {
	options  NATSOptions
	lock     *dirLock
	key      nkeys.KeyPair // the process's own; new at each start, never stored
	keyID    string
	password string // of LocalUser
	operator string // of OperatorUser
	service  string // of ServiceUser; new at each start, "" for none

	mu      sync.Mutex
	server  *server.Server // nil while stopped
	address string         // where it listens; fixed by the first start
}

// StartNATS starts the server and returns when it takes connections. It returns
// an error wrapping [ErrInUse] when another process runs one in o.Dir. ctx
// bounds the start only. The caller must call Stop.
func StartNATS(ctx context.Context, o NATSOptions) (*NATS, error) {
	n := &NATS{options: o, address: o.Listen}
	if o.Service {
		n.service = rand.Text()
	}
	if err := n.prepare(); err != nil {
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	if err := n.start(ctx); err != nil {
		n.lock.release()
		return nil, fmt.Errorf("start NATS: %w", err)
	}
	return n, nil
}

// prepare takes the directory and makes or reads the keys.
func (n *NATS) prepare() error {
	if err := os.MkdirAll(n.options.Dir, 0o700); err != nil {
		return err
	}
	if err := os.Chmod(n.options.Dir, 0o700); err != nil { //nolint:gosec // a directory needs x
		return err
	}
	lock, err := lockDir(n.options.Dir)
	if err != nil {
		return err
	}
	n.lock = lock
	if n.password, err = keptPassword(filepath.Join(n.options.Dir, "local.password")); err == nil {
		n.operator, err = keptPassword(filepath.Join(n.options.Dir, "operator.password"))
	}
	if err == nil {
		if n.key, err = nkeys.CreateUser(); err == nil {
			n.keyID, err = n.key.PublicKey()
		}
	}
	if err != nil {
		lock.release()
	}
	return err
}

// start runs a new server on the same directory, address and keys.
func (n *NATS) start(ctx context.Context) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server != nil {
		return errors.New("it runs already")
	}
	options, err := n.serverOptions()
	if err != nil {
		return err
	}
	s, err := server.NewServer(options)
	if err != nil {
		return err
	}
	log := newServerLog(n.options.Log)
	s.SetLoggerV2(log, false, false, false)
	begun := time.Now()
	s.Start()
	if err := awaitServer(ctx, s, log); err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return err
	}
	if n.address != "" {
		n.address = s.Addr().String() // clients find a restarted server again
	}
	n.server = s
	n.options.Log.Info("NATS is up", zap.String("dir", n.options.Dir), zap.String("listen", n.address),
		zap.Duration("took", time.Since(begun)))
	return nil
}

// awaitServer waits until s takes connections. A server that cannot start says
// so only in its log.
func awaitServer(ctx context.Context, s *server.Server, log *serverLog) error {
	ctx, cancel := context.WithTimeout(ctx, natsStartup)
	defer cancel()
	for {
		select {
		case reason := <-log.fatal:
			return errors.New(reason)
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w", ctx.Err())
		default:
		}
		if s.ReadyForConnections(100 * time.Millisecond) {
			return nil
		}
	}
}

func (n *NATS) serverOptions() (*server.Options, error) {
	users, err := n.users()
	if err != nil {
		return nil, err
	}
	o := &server.Options{
		ServerName: "kobling", DontListen: true, NoSigs: true,
		JetStream: true, StoreDir: n.options.Dir, DisableJetStreamBanner: true,
		// The server's default is to write to disk every two minutes, and to lose
		// what it acknowledged since when the machine goes down.
		SyncAlways:         !n.options.Throwaway,
		MaxPayload:         maxPayload,
		JetStreamMaxStore:  maxStore,
		JetStreamMaxMemory: 64 << 20,
		Nkeys:              []*server.NkeyUser{{Nkey: n.keyID}},
		Users:              users,
	}
	if n.address == "" {
		return o, nil
	}
	host, port, err := net.SplitHostPort(n.address)
	if err != nil {
		return nil, fmt.Errorf("listen address: %w", err)
	}
	if o.Port, err = strconv.Atoi(port); err != nil {
		return nil, fmt.Errorf("listen address: port %q is not a number", port)
	}
	if o.Port == 0 {
		o.Port = server.RANDOM_PORT
	}
	o.Host, o.DontListen = host, false
	return o, nil
}

// ConnectOption returns what lets this process's own clients connect, without
// the network and with every right: nats.Connect("", n.ConnectOption()). Such a
// connection also finds the server again after a [NATS.Restart].
func (n *NATS) ConnectOption() nats.Option {
	return func(o *nats.Options) error {
		for _, option := range []nats.Option{nats.InProcessServer((*inProcess)(n)), nats.Nkey(n.keyID, n.key.Sign)} {
			if err := option(o); err != nil {
				return err
			}
		}
		return nil
	}
}

// inProcess gives out connections to whichever server runs at the moment.
type inProcess NATS

// InProcessConn implements nats.InProcessConnProvider.
func (n *inProcess) InProcessConn() (net.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server == nil {
		return nil, errors.New("the embedded NATS server is stopped")
	}
	return n.server.InProcessConn()
}

// ClientURL returns the address for local clients, without the password they
// need; "" if the server does not listen.
func (n *NATS) ClientURL() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.address == "" {
		return ""
	}
	u := url.URL{Scheme: "nats", Host: n.address}
	return u.String()
}

// Password returns the password of [LocalUser]. It is made at the first start
// in a directory and stays. Keep it out of logs; a file that shows it must be
// readable by its owner only.
func (n *NATS) Password() string { return n.password }

// OperatorPassword returns the password of [OperatorUser], with the same care.
func (n *NATS) OperatorPassword() string { return n.operator }

// ServicePassword returns the password of [ServiceUser], which nobody has but this
// process; "" without [NATSOptions.Service].
func (n *NATS) ServicePassword() string { return n.service }

// Restart stops the server and starts it again with the same address and keys;
// connections come back by themselves. It is the way out when JetStream stays
// stuck after a full disk.
func (n *NATS) Restart(ctx context.Context) error {
	n.stopServer()
	if err := n.start(ctx); err != nil {
		return fmt.Errorf("restart NATS: %w", err)
	}
	return nil
}

// Stop ends the server, waits until everything is written and gives up the
// directory. It is safe to repeat. Close connections first: nobody is warned.
func (n *NATS) Stop() {
	n.stopServer()
	n.lock.release()
}

func (n *NATS) stopServer() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.server == nil {
		return
	}
	n.server.Shutdown()
	n.server.WaitForShutdown()
	n.server = nil
}
