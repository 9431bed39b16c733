package testkit

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Request is one HTTP request as a webhook's receiver got it.
type Request struct {
	Method string
	Path   string
	Header http.Header
	Body   []byte
	At     time.Time
}

// WebhookServer is an HTTP server that is one test's alone. It answers 204 to
// everything unless told otherwise.
type WebhookServer struct {
	URL string // http://127.0.0.1:port, which a guard against private addresses refuses unless told not to

	inbox  *inbox[Request]
	mu     sync.Mutex
	answer func(http.ResponseWriter, *http.Request, Request)
}

// HTTPSink starts a receiver of webhooks on a free port of 127.0.0.1.
func HTTPSink(tb testing.TB) *WebhookServer {
	tb.Helper()
	s := &WebhookServer{inbox: newInbox[Request]()}
	server := httptest.NewServer(s)
	s.URL = server.URL
	tb.Cleanup(func() {
		server.CloseClientConnections() // lets hanging answers go
		server.Close()
	})
	return s
}

// Answer has f answer each request from now on; nothing written means 200. To
// hang, f waits for a channel or for r.Context(). The body of r is read
// already, and is in got. f may be called for several requests at once.
func (s *WebhookServer) Answer(f func(w http.ResponseWriter, r *http.Request, got Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// AnswerStatus answers each request from now on with a status and the headers
// given as name, value, name, value, ….
func (s *WebhookServer) AnswerStatus(status int, header ...string) {
	s.Answer(func(w http.ResponseWriter, _ *http.Request, _ Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	})
}

// Requests returns the requests received so far, whatever was answered.
func (s *WebhookServer) Requests() []Request { return s.inbox.all() }

// Next waits for the next request, in the order of their coming; the test fails
// when none comes within 10 s.
func (s *WebhookServer) Next(tb testing.TB) Request {
	tb.Helper()
	return s.inbox.next(tb, "webhook request")
}

// ServeHTTP implements http.Handler. A request counts as received before it is
// answered.
func (s *WebhookServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender broke off
	}
	got := Request{Method: r.Method, Path: r.URL.Path, Header: r.Header.Clone(), Body: body, At: time.Now()}
	s.inbox.put(got)
	s.mu.Lock()
	answer := s.answer
	s.mu.Unlock()
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	answer(w, r, got)
}
