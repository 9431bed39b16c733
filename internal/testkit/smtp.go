package testkit

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
)

// Mail is one message as a mail server received it.
type Mail struct {
	From string   // of the envelope
	To   []string // of the envelope
	Data []byte   // header and body
}

// MailServer is a mail server that is one test's alone. It takes everything
// unless told otherwise, and delivers nothing.
type MailServer struct {
	Addr string // host:port; no TLS, no login

	ctx    context.Context // ends with the test
	inbox  *inbox[Mail]
	mu     sync.Mutex
	answer func(context.Context, Mail) error
}

// SMTP starts a mail server on a free port of 127.0.0.1.
func SMTP(tb testing.TB) *MailServer {
	tb.Helper()
	var lc net.ListenConfig
	listener, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal("testkit:", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	m := &MailServer{Addr: listener.Addr().String(), ctx: ctx, inbox: newInbox[Mail]()}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &mailSession{server: m}, nil
	}))
	server.Domain = "localhost"
	server.EnableSMTPUTF8 = true
	server.ErrorLog = silent{}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	tb.Cleanup(func() {
		cancel() // lets hanging answers go
		_ = server.Close()
		if err := <-served; err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			tb.Error("testkit: mail server:", err)
		}
	})
	return m
}

// URL returns the server's address as the product's setting takes it.
func (m *MailServer) URL() string { return "smtp://" + m.Addr }

// Answer has f decide what becomes of each message from now on: nil takes it,
// an error (see [Refuse]) refuses it. To hang, f waits for a channel or for ctx,
// which ends with the test. f may be called by several connections at once.
func (m *MailServer) Answer(f func(ctx context.Context, mail Mail) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answer = f
}

// Refuse returns an error that the server tells the sender with that code: 4xx
// means try later, 5xx never.
func Refuse(code int, text string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 0, 0}, Message: text}
}

// Mails returns the messages taken so far.
func (m *MailServer) Mails() []Mail { return m.inbox.all() }

// Next waits for the next message taken, in the order of their coming; the test
// fails when none comes within 10 s.
func (m *MailServer) Next(tb testing.TB) Mail {
	tb.Helper()
	return m.inbox.next(tb, "mail")
}

func (m *MailServer) take(mail Mail) error {
	m.mu.Lock()
	answer := m.answer
	m.mu.Unlock()
	if answer != nil {
		if err := answer(m.ctx, mail); err != nil {
			return err
		}
	}
	m.inbox.put(mail)
	return nil
}

// mailSession is one connection; it implements smtp.Session.
type mailSession struct {
	server *MailServer
	mail   Mail
}

func (s *mailSession) Mail(from string, _ *smtp.MailOptions) error {
	s.mail = Mail{From: from}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = append(s.mail.To, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.mail.Data = data
	return s.server.take(s.mail)
}

func (s *mailSession) Reset() { s.mail = Mail{} }

func (s *mailSession) Logout() error { return nil }

// silent drops the mail server's log: broken connections are what tests do.
type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// inbox keeps what a server received and hands it out in order, once.
type inbox[T any] struct {
	mu    sync.Mutex
	items []T
	read  int
	more  chan struct{} // closed and renewed at each arrival
}

func newInbox[T any]() *inbox[T] { return &inbox[T]{more: make(chan struct{})} }

func (b *inbox[T]) put(item T) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.items = append(b.items, item)
	close(b.more)
	b.more = make(chan struct{})
}

func (b *inbox[T]) all() []T {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]T(nil), b.items...)
}

func (b *inbox[T]) next(tb testing.TB, what string) T {
	tb.Helper()
	deadline := time.After(10 * time.Second)
	for {
		b.mu.Lock()
		if b.read < len(b.items) {
			item := b.items[b.read]
			b.read++
			b.mu.Unlock()
			return item
		}
		more := b.more
		b.mu.Unlock()
		select {
		case <-more:
		case <-deadline:
			tb.Fatalf("no %s within 10s", what)
		}
	}
}
