package webhook_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kobling/internal/alert"
	"kobling/internal/notify/webhook"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

var secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret of twenty-four.."))

func notification(url string) alert.Notification {
	demand, supply := profile.ID("need.acme.fall"), profile.ID("test_place.oulu.home")
	return alert.Notification{
		ID: uuid.Must(uuid.NewV7()), Kind: alert.KindMatch, Band: suggestion.Strong, CreatedAt: time.Unix(1_700_000_000, 0), Attempt: 1,
		Subscription: alert.Subscription{Channel: alert.Webhook, Address: url, Secret: secret, Language: "en"},
		Pair:         suggestion.Pair{Demand: demand, Supply: supply, Score: 0.8123, Band: suggestion.Strong},
		Demand:       &profile.Profile{ID: demand, Anonymous: true, Organisation: profile.Organisation{Name: "Hidden AS", Country: "NO"}, Texts: []profile.Text{{Lang: "nb", Title: "Fallsensor"}}},
		Supply:       &profile.Profile{ID: supply, Organisation: profile.Organisation{Name: "Oulu", Country: "FI"}, Texts: []profile.Text{{Lang: "fi", Title: "Testikoti"}}},
	}
}

func sender(allow ...string) *webhook.Sender {
	o := webhook.Options{Source: "/kobling", Now: time.Now}
	for _, a := range allow {
		o.AllowPrivate = append(o.AllowPrivate, netip.MustParsePrefix(a))
	}
	return webhook.New(o)
}

func TestSendIsASignedCloudEvent(t *testing.T) {
	t.Parallel()
	type received struct {
		header http.Header
		body   []byte
	}
	got := make(chan received, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- received{r.Header, b}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer srv.Close()

	n := notification(srv.URL)
	reasons := []suggestion.Explained{{Reason: suggestion.Reason{Feature: "c:fall_detection", Points: 0.4}, Kind: "concept", Label: "fall detection"}}
	if err := sender("127.0.0.0/8").Send(t.Context(), n, reasons); err != nil {
		t.Fatal(err)
	}
	r := <-got
	wh, err := standard.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := wh.Verify(r.body, r.header); err != nil {
		t.Errorf("the signature does not verify: %v", err)
	}
	var e struct {
		ID, Type, SpecVersion string
		Data                  struct {
			DemandID string `json:"demand_id"`
			Score    float64
			Reasons  []suggestion.Explained
		}
	}
	if err := json.Unmarshal(r.body, &e); err != nil {
		t.Fatal(err)
	}
	if e.ID != n.ID.String() || e.ID != r.header.Get("Webhook-Id") || e.SpecVersion != "1.0" || e.Data.Score != 0.8123 || len(e.Data.Reasons) != 1 {
		t.Errorf("event = %s", r.body)
	}
	if strings.Contains(string(r.body), "Hidden AS") {
		t.Error("an anonymous profile's organisation is named")
	}
}

func TestAnswersDecideWhatHappensNext(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name           string
		code           int
		header         map[string]string
		again          bool
		final, disable bool
		after          time.Duration
	}{
		{name: "gone", code: 410, disable: true},
		{name: "too many", code: 429, header: map[string]string{"Retry-After": "120"}, again: true, after: 2 * time.Minute},
		{name: "down for a date far away", code: 503, header: map[string]string{"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}, again: true, after: 24 * time.Hour},
		{name: "broken", code: 500, again: true},
		{name: "not accepted", code: 422, final: true},
		{name: "elsewhere", code: 302, header: map[string]string{"Location": "http://169.254.169.254/"}, final: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tt.code)
				_, _ = io.WriteString(w, strings.Repeat("x", 1<<20)) // more than is read
			}))
			defer srv.Close()
			err := sender("127.0.0.0/8").Send(t.Context(), notification(srv.URL), nil)
			var f *alert.SendError
			if !errors.As(err, &f) {
				f = &alert.SendError{}
			}
			if err == nil || f.Final != tt.final || f.Disable != tt.disable || f.After != tt.after || (tt.again && (f.Final || f.Disable)) {
				t.Errorf("Send = %v (%+v)", err, f)
			}
		})
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the guard let a request through") }))
	defer srv.Close()
	port := srv.URL[strings.LastIndexByte(srv.URL, ':'):]
	for _, url := range []string{
		srv.URL, "http://localhost" + port, "http://[::1]" + port, "http://[::ffff:127.0.0.1]" + port, "http://0.0.0.0" + port,
		"http://169.254.169.254/latest/meta-data", "http://10.0.0.1/", "http://192.168.1.1/", "http://[fd00::1]/", "http://2130706433" + port, "http://0x7f000001" + port,
	} {
		if err := sender().Send(t.Context(), notification(url), nil); err == nil {
			t.Errorf("%s was reached", url)
		}
	}
}

func TestBodyNamesTheOtherPosting(t *testing.T) {
	t.Parallel()
	n := notification("https://example.org")
	n.AlsoPostedAs = &alert.Twin{Notification: n.ID, Profile: &profile.Profile{
		ID: "need.acme.fall-en", Organisation: profile.Organisation{Name: "Hidden AS"}, Anonymous: true, Texts: []profile.Text{{Lang: "en", Title: "Fall sensor"}},
	}}
	type told struct {
		Data struct {
			Also map[string]string `json:"also_posted_as"`
		}
	}
	body := func() (b []byte, got told) {
		b, err := sender().Body(n, nil)
		if err == nil {
			err = json.Unmarshal(b, &got)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b, got
	}
	b, got := body()
	want := map[string]string{"id": "need.acme.fall-en", "title": "Fall sensor", "notification_id": n.ID.String()}
	if diff := cmp.Diff(want, got.Data.Also); diff != "" || strings.Contains(string(b), "Hidden") {
		t.Errorf("also_posted_as (-want +got):\n%s\nin %s", diff, b)
	}
	n.AlsoPostedAs = nil
	if b, _ := body(); strings.Contains(string(b), "also_posted_as") {
		t.Errorf("what is told in full names another: %s", b)
	}
}

func TestBodyStaysWithinItsLimit(t *testing.T) {
	t.Parallel()
	var reasons []suggestion.Explained
	for range suggestion.MaxReasons {
		reasons = append(reasons, suggestion.Explained{Label: strings.Repeat("label ", 1000)})
	}
	b, err := sender().Body(notification("https://example.org"), reasons)
	if err != nil || len(b) > webhook.MaxBody || !json.Valid(b) {
		t.Errorf("Body is %d bytes, valid=%t: %v", len(b), json.Valid(b), err)
	}
}

func TestCheckURL(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{
		"https://example.org/hook": true, "ftp://example.org": false, "https://user:pw@example.org": false, "example.org": false, "": false,
	} {
		if err := webhook.CheckURL(url); (err == nil) != ok {
			t.Errorf("CheckURL(%q) = %v", url, err)
		}
	}
}
