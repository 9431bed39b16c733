// Package webhook delivers notifications over HTTPS in the form of Standard
// Webhooks (https://www.standardwebhooks.com): a structured CloudEvent, signed
// with the subscription's secret, with the notification's id as webhook-id.
// Addresses inside private networks are refused when connecting, so that a
// subscription cannot be used to reach what only this server can reach.
package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"code.dny.dev/ssrf"
	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"kobling/internal/alert"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// MaxBody is the largest body sent, in bytes; reasons are dropped, weakest
// first, until it fits. MaxAnswer is how much of an answer is read.
const (
	MaxBody   = 20 << 10
	MaxAnswer = 64 << 10
)

// Options are what an operator may set.
type Options struct {
	// AllowPrivate are address ranges that may be reached although they are not
	// public. With any, every port is allowed, otherwise 80 and 443.
	AllowPrivate []netip.Prefix
	// Source is the CloudEvents source, a URI.
	Source string
	// Now is the clock, for the signature's timestamp.
	Now func() time.Time
}

// Sender is the webhook channel. Create it with New.
type Sender struct {
	client *http.Client
	source string
	now    func() time.Time
}

// New returns a Sender.
func New(o Options) *Sender {
	dialer := &net.Dialer{Timeout: 5 * time.Second, Control: guard(o.AllowPrivate).Safe}
	return &Sender{
		client: &http.Client{
			Transport: &http.Transport{
				DialContext:           dialer.DialContext,
				TLSHandshakeTimeout:   5 * time.Second,
				ResponseHeaderTimeout: 10 * time.Second,
				MaxIdleConnsPerHost:   4,
				IdleConnTimeout:       90 * time.Second,
				ForceAttemptHTTP2:     true,
				// No Proxy: a proxy would connect for us and go round the guard.
			},
			// A redirect is an answer, not an order: it could point anywhere.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		source: o.Source,
		now:    o.Now,
	}
}

func guard(allow []netip.Prefix) *ssrf.Guardian {
	if len(allow) == 0 {
		return ssrf.New()
	}
	var v4, v6 []netip.Prefix
	for _, p := range allow {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
}

// CheckURL says what is wrong with a webhook's address, for the moment when
// somebody subscribes.
func CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		return fmt.Errorf("webhook address must be https://host/path: %w", fault.ErrInvalid)
	case u.User != nil:
		return fmt.Errorf("webhook address must not carry a password; the receiver checks our signature: %w", fault.ErrInvalid)
	}
	return nil
}

// payload is the CloudEvent as sent.
type payload struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Subject         string    `json:"subject"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            data      `json:"data"`
}

type data struct {
	DemandID profile.ID             `json:"demand_id"`
	SupplyID profile.ID             `json:"supply_id"`
	Score    float64                `json:"score"`
	Band     suggestion.Band        `json:"band"`
	Reasons  []suggestion.Explained `json:"reasons"`
	Demand   brief                  `json:"demand"`
	Supply   brief                  `json:"supply"`
	// AlsoPostedAs is the near-duplicate that was told before, under that webhook-id.
	AlsoPostedAs *twin `json:"also_posted_as,omitempty"`
}

type twin struct {
	suggestion.Twin

	NotificationID string `json:"notification_id"`
}

func newTwin(t *alert.Twin, lang string) *twin {
	if t == nil {
		return nil
	}
	return &twin{suggestion.Twin{ID: t.Profile.ID, Title: t.Profile.Title(lang)}, t.Notification.String()}
}

// brief is what a receiver is shown of a profile; of an anonymous one not the
// name.
type brief struct {
	Title        string       `json:"title"`
	Kind         profile.Kind `json:"kind"`
	Organisation string       `json:"organisation,omitempty"`
	Country      string       `json:"country,omitempty"`
}

func newBrief(p *profile.Profile, lang string) brief {
	b := brief{Title: p.Title(lang), Kind: p.ID.Kind(), Organisation: p.Organisation.Name, Country: p.Organisation.Country}
	if p.Anonymous {
		b.Organisation = ""
	}
	return b
}

// Body returns the event that tells of n, at most MaxBody bytes.
func (s *Sender) Body(n alert.Notification, reasons []suggestion.Explained) ([]byte, error) {
	for {
		b, err := json.Marshal(payload{
			SpecVersion: "1.0", ID: n.ID.String(), Source: s.source, Type: event.TypeSuggestion,
			Subject: string(n.Pair.Demand) + "/" + string(n.Pair.Supply), Time: n.CreatedAt.UTC(), DataContentType: "application/json",
			Data: data{
				DemandID: n.Pair.Demand, SupplyID: n.Pair.Supply, Score: n.Pair.Score, Band: n.Band, Reasons: reasons,
				Demand: newBrief(n.Demand, n.Subscription.Language), Supply: newBrief(n.Supply, n.Subscription.Language),
				AlsoPostedAs: newTwin(n.AlsoPostedAs, n.Subscription.Language),
			},
		})
		if err != nil || len(b) <= MaxBody || len(reasons) == 0 {
			return b, err
		}
		reasons = reasons[:len(reasons)-1]
	}
}

// Send implements notify.Channel. 2xx is delivered; 410 disables the address;
// 429 and 503 are tried again when the receiver says; other 4xx, a redirect and
// a refused address are final; anything else is tried again.
func (s *Sender) Send(ctx context.Context, n alert.Notification, reasons []suggestion.Explained) error {
	body, err := s.Body(n, reasons)
	if err != nil {
		return &alert.SendError{Final: true, Err: fmt.Errorf("write event: %w", err)}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.Subscription.Address, bytes.NewReader(body))
	if err != nil {
		return &alert.SendError{Final: true, Err: errors.New("webhook address cannot be used")}
	}
	wh, err := standard.NewWebhook(n.Subscription.Secret)
	if err != nil {
		return &alert.SendError{Final: true, Err: errors.New("webhook secret is not base64; subscribe anew")}
	}
	now := s.now()
	signature, err := wh.Sign(n.ID.String(), now, body)
	if err != nil {
		return &alert.SendError{Final: true, Err: fmt.Errorf("sign: %w", err)}
	}
	req.Header.Set("Content-Type", "application/cloudevents+json; charset=utf-8")
	req.Header.Set("User-Agent", "kobling")
	req.Header.Set("Webhook-Id", n.ID.String())
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	req.Header.Set("Webhook-Signature", signature)

	resp, err := s.client.Do(req)
	if err != nil {
		return dialFailure(err)
	}
	defer func() { _ = resp.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, MaxAnswer)) // lets the connection be used again
	return judge(resp, now)
}

// dialFailure keeps the cause and drops the URL, which may carry a token.
func dialFailure(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	if errors.Is(err, ssrf.ErrProhibitedIP) || errors.Is(err, ssrf.ErrProhibitedPort) || errors.Is(err, ssrf.ErrProhibitedNetwork) {
		return &alert.SendError{Final: true, Err: errors.New("webhook address is not a public one")}
	}
	return fmt.Errorf("webhook: %w", err)
}

func judge(resp *http.Response, now time.Time) error {
	err := fmt.Errorf("webhook answered %d", resp.StatusCode)
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusGone:
		return &alert.SendError{Disable: true, Err: err}
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return &alert.SendError{After: retryAfter(resp.Header.Get("Retry-After"), now), Err: err}
	case code == http.StatusRequestTimeout || code >= 500:
		return err
	}
	return &alert.SendError{Final: true, Err: err}
}

// retryAfter reads a Retry-After header (RFC 9110, 10.2.3), at most a day; 0
// when there is none.
func retryAfter(v string, now time.Time) time.Duration {
	const most = 24 * time.Hour
	var d time.Duration
	if s, err := strconv.Atoi(v); err == nil {
		d = time.Duration(min(s, int(most/time.Second))) * time.Second // what is longer would not fit
	} else if at, err := http.ParseTime(v); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), most)
}
