package webhook

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"kobling/internal/alert"
	"kobling/internal/fault"
)

// FuzzAnswer: whatever a receiver answers, an attempt ends in one of a few ways, and
// the next one is within a day.
func FuzzAnswer(f *testing.F) {
	now := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	for _, v := range []string{"", "120", "-1", "1e9", "99999999999999", "9223372036854775807", "Thu, 05 Nov 2026 12:00:30 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		f.Add(429, v)
		f.Add(503, v)
	}
	f.Add(200, "")
	f.Add(410, "60")
	f.Fuzz(func(t *testing.T, code int, retry string) {
		err := judge(&http.Response{StatusCode: code, Header: http.Header{"Retry-After": {retry}}}, now)
		if (err == nil) != (code >= 200 && code < 300) {
			t.Errorf("%d: %v", code, err)
		}
		var send *alert.SendError
		if !errors.As(err, &send) {
			return
		}
		if send.After < 0 || send.After > 24*time.Hour || send.Final && send.Disable || send.Disable != (code == http.StatusGone) {
			t.Errorf("%d %q: %+v", code, retry, send)
		}
	})
}

func TestALongPauseIsADay(t *testing.T) {
	t.Parallel()
	for _, v := range []string{"86401", "99999999999999", "9223372036854775807"} {
		if got := retryAfter(v, time.Now()); got != 24*time.Hour {
			t.Errorf("Retry-After %s = %s, want a day", v, got)
		}
	}
}

// FuzzCheckURL: what is accepted is a web address with a host and without a
// password, and what is refused is not repeated: it may hold one.
func FuzzCheckURL(f *testing.F) {
	for _, v := range []string{
		"https://hooks.example.org/x?y=1", "http://[::1]:80/", "https://user:secret@example.org", "//example.org", "https:///x",
		"https://exa mple.org", "javascript:alert(1)", "https://example.org:99999/", "HTTPS://EXAMPLE.ORG",
	} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		err := CheckURL(raw)
		if err != nil {
			if !errors.Is(err, fault.ErrInvalid) || len(raw) > 12 && strings.Contains(err.Error(), raw) {
				t.Errorf("%q: %v", raw, err)
			}
			return
		}
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
			t.Errorf("%q is accepted: %+v, %v", raw, u, err)
		}
	})
}
