package api

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/google/uuid"

	"kobling/internal/alert"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// nothing is a ledger, a log, an index and letters that hold nothing, and fail the
// test when they are asked for what must not reach them.
type nothing struct{ t *testing.T }

func (n nothing) id(id profile.ID) error {
	if _, err := profile.ParseID(string(id)); err != nil {
		n.t.Errorf("asked for %q", id)
	}
	return fault.ErrNotFound
}

func (n nothing) page(limit, offset int) {
	if limit < 0 || limit > MaxPage+1 || offset < 0 {
		n.t.Errorf("asked for %d from %d", limit, offset)
	}
}

func (n nothing) Suggestions(_ context.Context, f suggestion.Filter) ([]suggestion.Row, error) {
	n.page(f.Limit, f.Offset)
	return nil, nil
}

func (n nothing) Profile(_ context.Context, id profile.ID) (*profile.Profile, error) {
	return nil, n.id(id)
}

func (n nothing) LiveProfiles(context.Context, profile.ID, int) ([]*profile.Profile, error) {
	return nil, nil
}

func (n nothing) Head(_ context.Context, id profile.ID) (suggestion.Head, error) {
	return suggestion.Head{}, n.id(id)
}

func (n nothing) Gate(_ context.Context, demand, supply profile.ID) ([]string, error) {
	return nil, errors.Join(n.id(demand), n.id(supply))
}

func (n nothing) Rejection(_ context.Context, id profile.ID, _ uint64) (event.Rejection, error) {
	return event.Rejection{}, n.id(id)
}

func (n nothing) Subscribe(_ context.Context, s alert.Subscription) (alert.Subscription, error) {
	if len(s.Address) > maxAddress || !profile.ValidToken(s.Cluster) {
		n.t.Errorf("subscribed %+v", s)
	}
	return s, nil
}

func (n nothing) Subscriptions(context.Context) ([]alert.Subscription, error) { return nil, nil }
func (n nothing) Unsubscribe(context.Context, uuid.UUID) error                { return fault.ErrNotFound }

func (n nothing) Last(_ context.Context, id profile.ID) (m event.Message, ok bool, err error) {
	_ = n.id(id) // there is none
	return m, false, nil
}

func (n nothing) Top(_ context.Context, q score.Query, limit int) ([]score.Candidate, error) {
	if limit < 1 || limit > maxHits {
		n.t.Errorf("the best %d of %+v", limit, q)
	}
	return nil, nil
}

func (n nothing) DeadLetters(_ context.Context, limit, offset int) ([]event.DeadLetter, error) {
	n.page(limit, offset)
	return nil, nil
}

func (n nothing) letter(subject string, seq uint64) error {
	if subject == "" || seq == 0 || seq > math.MaxInt64 {
		n.t.Errorf("asked for letter %q, %d", subject, seq)
	}
	return fault.ErrNotFound
}

func (n nothing) DeadLetter(_ context.Context, subject string, seq uint64) (event.DeadLetter, error) {
	return event.DeadLetter{}, n.letter(subject, seq)
}

func (n nothing) DropDeadLetter(_ context.Context, subject string, seq uint64) error {
	return n.letter(subject, seq)
}

func (n nothing) Retry(_ context.Context, subject string, seq uint64) (uint64, error) {
	return 0, n.letter(subject, seq)
}

// FuzzRequest: whatever a client asks, it is answered with JSON or with one of the
// kinds of failure that travel, and nothing out of bounds reaches the database, the
// streams or the index.
func FuzzRequest(f *testing.F) {
	epoch, err := score.DefaultEpoch(1)
	if err != nil {
		f.Fatal(err)
	}
	for op, body := range map[string]string{
		OpStatus: ``, OpReceipt: `{"profile_id":"need.a.b","intake_seq":1}`, OpSuggestions: `{"limit":10,"min_band":"strong"}`,
		OpSearch: `{"text":"fald","side":"supply","limit":3}`, OpExplain: `{"demand_id":"need.a.b","supply_id":"offer.a.b"}`,
		OpSubscribe:     `{"cluster":"default","channel":"email","address":"a@example.org","min_band":"possible"}`,
		OpSubscriptions: `{}`, OpUnsubscribe: `{"id":"01a20da4-9f72-7c75-8cb4-881a59bf57de"}`, OpUnknown: `{"after":"need.a.b"}`,
		OpIndex: `{"bucket":3}`, OpDeadLetters: `{"offset":2}`, OpDeadLetter: `{"id":"x@1"}`, OpRetry: `{"id":"x@9223372036854775807"}`, OpDrop: `{"id":"@"}`,
	} {
		f.Add(op, []byte(body))
		f.Add(op, []byte(body+`{}`))
	}
	f.Add(OpSuggestions, []byte(`{"limit":9223372036854775807,"offset":9223372036854775807}`))
	f.Add(OpSearch, []byte(`{"text":"\u0000\ud800"}`))
	f.Fuzz(func(t *testing.T, op string, body []byte) {
		n := nothing{t}
		s := &Service{
			Ledger: n, Log: n, Finder: n, Letters: n, Epoch: epoch, Room: 1 << 16,
			Status:   func(context.Context) (Status, error) { return Status{}, nil },
			Index:    func(context.Context, IndexQuery) (IndexContents, error) { return IndexContents{}, nil },
			CheckURL: func(string) error { return nil },
		}
		answer := s.Answers()[op]
		if answer == nil {
			return
		}
		out, err := answer(t.Context(), body)
		switch {
		case err == nil && !json.Valid(out):
			t.Errorf("%s %s: %s", op, body, out)
		case err != nil && fault.Kind(err) == "internal":
			t.Errorf("%s %s: %v", op, body, err)
		}
	})
}
