package testkit_test

import (
	"context"
	"net/http"
	"net/smtp"
	"strings"
	"testing"

	"kobling/internal/testkit"
)

func TestMailServerTakesAndRefuses(t *testing.T) {
	t.Parallel()

	server := testkit.SMTP(t)
	send := func() error {
		return smtp.SendMail(server.Addr, nil, "a@example.org", []string{"b@example.org"}, []byte("Subject: x\r\n\r\nhello\r\n"))
	}
	if err := send(); err != nil {
		t.Fatal(err)
	}
	if got := server.Next(t); got.From != "a@example.org" || !strings.Contains(string(got.Data), "hello") {
		t.Errorf("mail = %+v", got)
	}
	server.Answer(func(context.Context, testkit.Mail) error { return testkit.Refuse(451, "later") })
	if err := send(); err == nil || !strings.Contains(err.Error(), "451") {
		t.Errorf("send = %v, want code 451", err)
	}
	if n := len(server.Mails()); n != 1 {
		t.Errorf("%d mails taken, want 1", n)
	}
}

func TestHangingMailServerEndsWithTheTest(t *testing.T) {
	t.Parallel()

	server := testkit.SMTP(t)
	hanging := make(chan struct{})
	server.Answer(func(ctx context.Context, _ testkit.Mail) error {
		close(hanging)
		<-ctx.Done()
		return ctx.Err()
	})
	sent := make(chan error, 1)
	go func() {
		sent <- smtp.SendMail(server.Addr, nil, "a@example.org", []string{"b@example.org"}, []byte("x\r\n"))
	}()
	<-hanging // and the clean-up returns although a sender still waits
}

func TestHTTPSinkAnswersAsTold(t *testing.T) {
	t.Parallel()

	sink := testkit.HTTPSink(t)
	post := func() (status int, retryAfter string) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, sink.URL+"/hook", strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("Retry-After")
	}
	if got, _ := post(); got != http.StatusNoContent {
		t.Errorf("status = %d, want 204", got)
	}
	if got := sink.Next(t); got.Path != "/hook" || string(got.Body) != "body" {
		t.Errorf("request = %+v", got)
	}
	sink.AnswerStatus(http.StatusTooManyRequests, "Retry-After", "7")
	if got, after := post(); got != http.StatusTooManyRequests || after != "7" {
		t.Errorf("response = %d, Retry-After %q; want 429 and 7", got, after)
	}
	if n := len(sink.Requests()); n != 2 {
		t.Errorf("%d requests, want 2", n)
	}
}
