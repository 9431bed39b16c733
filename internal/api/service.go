package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"

	"github.com/google/uuid"

	"kobling/internal/alert"
	"kobling/internal/event"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// Ledger is what is read and written in the database. internal/store implements
// it.
type Ledger interface {
	Suggestions(ctx context.Context, f suggestion.Filter) ([]suggestion.Row, error)
	Profile(ctx context.Context, id profile.ID) (*profile.Profile, error)
	// LiveProfiles returns so many of the published profiles after one, in order of id.
	LiveProfiles(ctx context.Context, after profile.ID, limit int) ([]*profile.Profile, error)
	// Head returns what is known of the newest revision that was matched.
	Head(ctx context.Context, id profile.ID) (suggestion.Head, error)
	// Gate says why a pair is not shown, in sentences; none: it would be.
	Gate(ctx context.Context, demand, supply profile.ID) ([]string, error)
	// Rejection returns the refusal of a submission, fault.ErrNotFound if there
	// is none.
	Rejection(ctx context.Context, id profile.ID, intakeSeq uint64) (event.Rejection, error)
	Subscribe(ctx context.Context, s alert.Subscription) (alert.Subscription, error)
	Subscriptions(ctx context.Context) ([]alert.Subscription, error)
	Unsubscribe(ctx context.Context, id uuid.UUID) error
}

// Log is the PROFILES stream. internal/stream implements it.
type Log interface {
	Last(ctx context.Context, id profile.ID) (m event.Message, ok bool, err error)
}

// Finder is the index. internal/index implements it.
type Finder interface {
	Top(ctx context.Context, q score.Query, n int) ([]score.Candidate, error)
}

// Service answers the operations.
type Service struct {
	Ledger Ledger
	Log    Log
	Finder Finder
	Epoch  *score.Epoch
	// Letters are the messages that were given up.
	Letters Letters
	// Status says how far the work has come.
	Status func(ctx context.Context) (Status, error)
	// Index says what the index holds.
	Index func(ctx context.Context, q IndexQuery) (IndexContents, error)
	// Rematch says how far the last re-match has come, and may begin one.
	Rematch func(ctx context.Context, q RematchQuery) (Rematch, error)
	// CheckURL says what is wrong with a webhook's address.
	CheckURL func(string) error
	// Room is how many bytes one answer may have.
	Room int
}

// Answers returns the operations by name: JSON in, JSON out. An error that wraps
// a kind of package fault is the caller's to read.
func (s *Service) Answers() map[string]func(ctx context.Context, request []byte) ([]byte, error) {
	return map[string]func(context.Context, []byte) ([]byte, error){
		OpStatus:        answer(func(ctx context.Context, _ struct{}) (Status, error) { return s.Status(ctx) }),
		OpReceipt:       answer(s.receipt),
		OpSuggestions:   answer(s.suggestions),
		OpSearch:        answer(s.search),
		OpExplain:       answer(s.explain),
		OpSubscribe:     answer(s.subscribe),
		OpSubscriptions: answer(s.subscriptions),
		OpUnsubscribe:   answer(s.unsubscribe),
		OpUnknown:       answer(s.unknown),
		OpIndex:         answer(s.index),
		OpDeadLetters:   answer(s.deadLetters),
		OpDeadLetter:    answer(s.deadLetter),
		OpRetry:         answer(s.retry),
		OpDrop:          answer(s.drop),
		OpRematch:       answer(func(ctx context.Context, q RematchQuery) (Rematch, error) { return s.Rematch(ctx, q) }),
	}
}

// answer decodes, calls f and encodes.
func answer[In, Out any](f func(context.Context, In) (Out, error)) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, request []byte) ([]byte, error) {
		var in In
		if err := decode(request, &in); err != nil {
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return json.Marshal(out)
	}
}

func (s *Service) receipt(ctx context.Context, q ReceiptQuery) (Receipt, error) {
	if err := checkID("profile_id", q.ProfileID); err != nil {
		return Receipt{}, err
	}
	r, err := s.Ledger.Rejection(ctx, q.ProfileID, q.IntakeSeq)
	if err == nil {
		return Receipt{State: Rejected, Faults: r.Faults}, nil
	}
	if !errors.Is(err, fault.ErrNotFound) {
		return Receipt{}, err
	}
	m, ok, err := s.Log.Last(ctx, q.ProfileID)
	if err != nil || !ok {
		return Receipt{State: Waits}, err
	}
	rev, err := event.DecodeRevision(m)
	if err != nil {
		return Receipt{}, err
	}
	if rev.IntakeSeq < q.IntakeSeq {
		return Receipt{State: Waits}, nil
	}
	out := Receipt{State: Accepted, Revision: rev.Revision, Status: string(rev.Status)}
	if rev.IntakeSeq > q.IntakeSeq {
		out.State = Superseded
	}
	head, err := s.Ledger.Head(ctx, q.ProfileID)
	switch {
	case errors.Is(err, fault.ErrNotFound):
	case err != nil:
		return Receipt{}, err
	default:
		out.Matched = head.Seq >= rev.Seq
	}
	return out, nil
}

func (s *Service) suggestions(ctx context.Context, q SuggestionsQuery) (Suggestions, error) {
	f := q.Filter
	if err := checkFilter(f); err != nil {
		return Suggestions{}, err
	}
	if f.Limit == 0 || f.Limit > MaxPage {
		f.Limit = MaxPage
	}
	f.Limit++ // one more tells whether there is a next page
	rows, err := s.Ledger.Suggestions(ctx, f)
	if err != nil {
		return Suggestions{}, err
	}
	more := len(rows) == f.Limit
	rows = rows[:min(len(rows), f.Limit-1)]
	page := newList[suggestion.Suggestion](s.Room)
	for _, r := range rows {
		taken, err := page.add(s.row(r, q.Lang))
		if err != nil {
			return Suggestions{}, err
		}
		if !taken {
			more = true
			break
		}
	}
	out := Suggestions{Items: page.rows}
	if more {
		out.Next = f.Offset + len(page.rows)
	}
	return out, nil
}

// row makes r readable in lang.
func (s *Service) row(r suggestion.Row, lang string) suggestion.Suggestion {
	item := suggestion.Suggestion{
		DemandID: r.Demand, SupplyID: r.Supply, Score: r.Score, Band: r.Band, FirstLiveAt: r.FirstLiveAt,
		DemandTitle: r.DemandProfile.Title(lang), SupplyTitle: r.SupplyProfile.Title(lang),
		Reasons: brief(s.Epoch.Explain(r.DemandProfile, r.SupplyProfile, r.Reasons, lang)),
	}
	if r.Twin != nil {
		item.AlsoPostedAs = &suggestion.Twin{ID: r.Twin.ID, Title: r.Twin.Title(lang)}
	}
	return item
}

// Limits of a search.
const (
	maxQuery   = 4000 // bytes of text
	maxHits    = 100
	defaultTop = 10
)

func (s *Service) search(ctx context.Context, q SearchQuery) (Hits, error) {
	if err := checkSearch(q); err != nil {
		return Hits{}, err
	}
	if q.Limit == 0 {
		q.Limit = defaultTop
	}
	q.Limit = min(q.Limit, maxHits)
	if !known(q.Lang) {
		q.Lang = s.Epoch.Analyzer().Detect(q.Text)
	}
	var all []Hit
	for _, side := range []profile.Side{profile.Demand, profile.Supply} {
		if q.Side != "" && q.Side != side {
			continue
		}
		found, err := s.searchSide(ctx, q, side)
		if err != nil {
			return Hits{}, err
		}
		all = append(all, found...)
	}
	slices.SortStableFunc(all, func(a, b Hit) int {
		switch {
		case a.Score > b.Score:
			return -1
		case a.Score < b.Score:
			return 1
		}
		return 0
	})
	hits := newList[Hit](s.Room)
	for _, h := range all[:min(len(all), q.Limit)] {
		if taken, err := hits.add(h); err != nil || !taken {
			return Hits{Items: hits.rows}, err
		}
	}
	return Hits{Items: hits.rows}, nil
}

// searchSide asks as if the text were a profile of the other side.
func (s *Service) searchSide(ctx context.Context, q SearchQuery, in profile.Side) ([]Hit, error) {
	kind := profile.Need
	if in == profile.Demand {
		kind = profile.Offer
	}
	asked := &profile.Profile{ID: profile.ID(string(kind) + ".search.search"), Texts: []profile.Text{{Lang: q.Lang, Title: q.Text}}}
	features := s.Epoch.Side(asked).Features
	if len(features) == 0 {
		return nil, nil
	}
	candidates, err := s.Finder.Top(ctx, score.Query{In: in, Features: features, Floor: 1}, q.Limit)
	if err != nil {
		return nil, err
	}
	var hits []Hit
	for _, c := range candidates {
		p, err := s.Ledger.Profile(ctx, c.ID)
		if errors.Is(err, fault.ErrNotFound) {
			continue // withdrawn since the index found it
		}
		if err != nil {
			return nil, err
		}
		if p.Visibility == profile.VisiblePrivate {
			continue
		}
		hits = append(hits, s.hit(q, asked, p, c))
	}
	return hits, nil
}

func (s *Service) hit(q SearchQuery, asked, p *profile.Profile, c score.Candidate) Hit {
	h := Hit{ID: c.ID, Title: p.Title(q.Reader), Organisation: p.Organisation.Name, Country: p.Organisation.Country, Score: float64(c.Text) / score.TextMax}
	if p.Anonymous {
		h.Organisation = ""
	}
	var reasons []suggestion.Reason
	for _, t := range c.Top {
		reasons = append(reasons, suggestion.Reason{Feature: t.Term, Points: float64(t.Points) / score.TextMax})
	}
	demand, supply := asked, p
	if c.ID.Side() == profile.Demand {
		demand, supply = p, asked
	}
	h.Reasons = brief(s.Epoch.Explain(demand, supply, reasons, q.Reader))
	return h
}

func (s *Service) explain(ctx context.Context, q ExplainQuery) (Explanation, error) {
	if err := errors.Join(checkID("demand_id", q.DemandID), checkID("supply_id", q.SupplyID)); err != nil {
		return Explanation{}, err
	}
	if q.DemandID.Side() == profile.Supply && q.SupplyID.Side() == profile.Demand {
		q.DemandID, q.SupplyID = q.SupplyID, q.DemandID // either order will do
	}
	if q.DemandID.Side() != profile.Demand || q.SupplyID.Side() != profile.Supply {
		return Explanation{}, invalid("a pair is a need or public need and an offer or test place, not %s and %s", q.DemandID.Kind(), q.SupplyID.Kind())
	}
	demand, err := s.Ledger.Profile(ctx, q.DemandID)
	if err != nil {
		return Explanation{}, err
	}
	supply, err := s.Ledger.Profile(ctx, q.SupplyID)
	if err != nil {
		return Explanation{}, err
	}
	gate, err := s.Ledger.Gate(ctx, q.DemandID, q.SupplyID)
	if err != nil {
		return Explanation{}, err
	}
	d, p := s.Epoch.Side(demand), s.Epoch.Side(supply)
	text, shared := score.Text(d.Features, p.Features)
	r := s.Epoch.Pair(d.Facts, p.Facts, text, shared[:min(len(shared), suggestion.MaxReasons)])
	return Explanation{
		DemandID: q.DemandID, SupplyID: q.SupplyID, DemandTitle: demand.Title(q.Lang), SupplyTitle: supply.Title(q.Lang),
		Score: r.Score, Band: r.Band, Text: float64(text) / score.TextMax, Floor: float64(s.Epoch.Floor()) / score.TextMax,
		Parts: r.Parts, Blockers: r.Blockers, Gate: gate, Live: len(gate) == 0 && r.Band != "",
		Reasons: s.Epoch.Explain(demand, supply, r.Reasons, q.Lang), Epoch: s.Epoch.Number(),
	}, nil
}

func (s *Service) subscribe(ctx context.Context, sub alert.Subscription) (NewSubscription, error) {
	if err := s.checkSubscription(sub); err != nil {
		return NewSubscription{}, err
	}
	sub.ID = uuid.Nil // given here, not by the caller
	if sub.Channel == alert.Webhook {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails
		sub.Secret = "whsec_" + base64.StdEncoding.EncodeToString(key)
	}
	if sub.MinBand == "" {
		sub.MinBand = suggestion.Possible
	}
	made, err := s.Ledger.Subscribe(ctx, sub)
	if err != nil {
		return NewSubscription{}, err
	}
	return NewSubscription{Subscription: made, Secret: made.Secret}, nil
}

func (s *Service) subscriptions(ctx context.Context, _ struct{}) (Subscriptions, error) {
	all, err := s.Ledger.Subscriptions(ctx)
	return Subscriptions{Items: append([]alert.Subscription{}, all...)}, err
}

func (s *Service) unsubscribe(ctx context.Context, u Unsubscribe) (struct{}, error) {
	return struct{}{}, s.Ledger.Unsubscribe(ctx, u.ID)
}
