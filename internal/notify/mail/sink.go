package mail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// Sink is an SMTP server on the loopback interface that keeps each message as
// <dir>/<message id>.eml, for a demonstration and for an installation that has
// no mail server yet. A repeated message replaces its first copy.
type Sink struct {
	dir      string
	listener net.Listener
	server   *smtp.Server
}

// maxMail is the largest message the sink takes, in bytes.
const maxMail = 1 << 20

// NewSink listens on a free port of 127.0.0.1 and makes dir. Call Run to serve.
func NewSink(ctx context.Context, dir string) (*Sink, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("mail sink: %w", err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("mail sink: %w", err)
	}
	s := &Sink{dir: dir, listener: l}
	s.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{dir: dir}, nil }))
	s.server.Domain = "localhost"
	s.server.MaxMessageBytes = maxMail
	s.server.ReadTimeout, s.server.WriteTimeout = 30*time.Second, 30*time.Second
	return s, nil
}

// URL is the address for Options.URL.
func (s *Sink) URL() string { return "smtp+plain://" + s.listener.Addr().String() }

// Run serves until ctx ends.
func (s *Sink) Run(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { _ = s.server.Close() })()
	if err := s.server.Serve(s.listener); err != nil && ctx.Err() == nil && !errors.Is(err, smtp.ErrServerClosed) {
		return fmt.Errorf("mail sink: %w", err)
	}
	return nil
}

// session takes one message after the other; sender and recipients are in the
// message itself.
type session struct{ dir string }

func (*session) Reset()                               {}
func (*session) Logout() error                        { return nil }
func (*session) Mail(string, *smtp.MailOptions) error { return nil }
func (*session) Rcpt(string, *smtp.RcptOptions) error { return nil }

// Data keeps the message under a temporary name until it is whole.
func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := netmail.ReadMessage(strings.NewReader(string(b)))
	if err != nil {
		return &smtp.SMTPError{Code: 554, Message: "not a message"}
	}
	name := fileName(m.Header.Get("Message-Id"))
	f, err := os.CreateTemp(s.dir, ".incoming-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already after the rename
	if _, err := f.Write(b); err != nil {
		_ = f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(s.dir, name))
}

// fileName makes a Message-ID safe as a file's name.
func fileName(id string) string {
	local, _, _ := strings.Cut(strings.Trim(id, "<> "), "@")
	safe := strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || (r >= '0' && r <= '9') || (r >= 'a' && r <= 'z') || (r >= 'A' && r <= 'Z') {
			return r
		}
		return -1
	}, local)
	if safe == "" {
		safe = "unnamed"
	}
	return safe[:min(len(safe), 100)] + ".eml"
}
