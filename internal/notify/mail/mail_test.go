package mail_test

import (
	"context"
	"errors"
	"flag"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"kobling/internal/alert"
	"kobling/internal/notify/mail"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

var update = flag.Bool("update", false, "write the golden letters anew")

func notification(lang string) alert.Notification {
	demand, supply := profile.ID("need.vaktsom.dispenser"), profile.ID("test_place.oulu.testikoti")
	return alert.Notification{
		ID: uuid.MustParse("019480f0-0000-7000-8000-000000000001"), Kind: alert.KindMatch, Band: suggestion.Strong,
		CreatedAt: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), Attempt: 1,
		Subscription: alert.Subscription{Cluster: "fi-oulu", Name: "Aino", Channel: alert.Email, Address: "aino@example.org", Language: lang},
		Pair:         suggestion.Pair{Demand: demand, Supply: supply, Score: 0.8123, Band: suggestion.Strong},
		Demand: &profile.Profile{
			ID: demand, Organisation: profile.Organisation{Name: "Vaktsom AS", Type: profile.SME, Country: "NO"},
			Texts: []profile.Text{{Lang: "nb", Title: "Medisindispenser til hjemmet", Description: "Vi vil prøve ut dispenseren hos eldre <hjemme> sammen med hjemmetjenesten."}},
		},
		Supply: &profile.Profile{
			ID: supply, Anonymous: true, Organisation: profile.Organisation{Name: "Salainen", Type: profile.Municipality, Country: "FI"},
			Texts: []profile.Text{{Lang: "fi", Title: "Testikoti ja kotihoidon tiimi", Summary: "Kokeiluja ikäihmisten kodeissa."}},
		},
	}
}

var reasons = []suggestion.Explained{
	{
		Reason: suggestion.Reason{Feature: "c:home_care", Points: 0.3}, Kind: "concept", Label: "home care",
		Demand: []suggestion.Span{{Text: "hjemmetjenesten"}, {Text: "Hjemmetjenesten"}}, Supply: []suggestion.Span{{Text: "kotihoidon"}},
	},
	{Reason: suggestion.Reason{Feature: "g:disp", Points: 0.1}, Kind: "ngram", Label: "disp"},
}

func newSender(t *testing.T, url string) *mail.Sender {
	t.Helper()
	s, err := mail.New(mail.Options{URL: url, From: "kobling <kobling@example.org>", Site: "https://kobling.example.org"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parts returns a message's header and its decoded bodies by media type.
func parts(t *testing.T, r io.Reader) (netmail.Header, map[string]string) {
	t.Helper()
	m, err := netmail.ReadMessage(r)
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("content type %q: %v", kind, err)
	}
	bodies := map[string]string{}
	for mr := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := mr.NextRawPart()
		if errors.Is(err, io.EOF) {
			return m.Header, bodies
		}
		if err != nil {
			t.Fatal(err)
		}
		var body io.Reader = p
		if p.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
			body = quotedprintable.NewReader(p)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(p.Header.Get("Content-Type"))
		bodies[kind] = strings.ReplaceAll(string(b), "\r\n", "\n")
	}
}

// letter renders a notification: header, bodies, and all that a reader sees.
func letter(t *testing.T, n alert.Notification) (header netmail.Header, bodies map[string]string, all string) {
	t.Helper()
	m, err := newSender(t, "smtp+plain://127.0.0.1:1").Message(n, reasons)
	if err != nil {
		t.Fatal(err)
	}
	var raw strings.Builder
	if _, err := m.WriteTo(&raw); err != nil {
		t.Fatal(err)
	}
	header, bodies = parts(t, strings.NewReader(raw.String()))
	subject, err := new(mime.WordDecoder).DecodeHeader(header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return header, bodies, "Subject: " + subject + "\n\n" + bodies["text/plain"] + "\n---\n" + bodies["text/html"]
}

// checkGolden compares a letter with the one that is kept under name.
func checkGolden(t *testing.T, name, got string) {
	t.Helper()
	golden := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("letter (-want +got):\n%s", diff)
	}
}

func TestALetterInEachLanguage(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"da", "nb", "sv", "fi", "nl", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			header, bodies, got := letter(t, notification(lang))
			checkGolden(t, "letter."+lang, got)
			if strings.Contains(got, "Salainen") {
				t.Error("an anonymous profile's organisation is named")
			}
			if strings.Contains(bodies["text/html"], "<hjemme>") {
				t.Error("a profile's text is not escaped")
			}
			if id := header.Get("Message-Id"); id != "<019480f0-0000-7000-8000-000000000001@example.org>" {
				t.Errorf("Message-ID = %s", id)
			}
		})
	}
}

func TestTheSinkKeepsOneFileForEachMessageID(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "mail")
	sink, err := mail.NewSink(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- sink.Run(ctx) }()
	s, n := newSender(t, sink.URL()), notification("fi")
	for range 2 { // a repeated attempt
		if err := s.Send(t.Context(), n, reasons); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 || files[0].Name() != n.ID.String()+".eml" {
		t.Fatalf("files = %v, %v", files, err)
	}
	f, err := os.Open(filepath.Join(dir, files[0].Name()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	header, _ := parts(t, f)
	if to := header.Get("To"); !strings.Contains(to, "aino@example.org") {
		t.Errorf("To = %s", to)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Run = %v", err)
	}
	if err := s.Send(t.Context(), n, reasons); err == nil {
		t.Error("sending to a server that is gone succeeded")
	}
}

func TestSettingsAreCheckedWithoutShowingThem(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"smtp://user:hunter2@", "http://user:hunter2@host", "smtp://user:hunter2@host:port"} {
		_, err := mail.New(mail.Options{URL: url, From: "kobling@example.org"})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("New(%q) = %v", url, err)
		}
	}
}
