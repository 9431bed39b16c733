package e2e_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"kobling/internal/alert"
	"kobling/internal/api"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

func need(org string) profile.Profile {
	return profile.Profile{
		ID:           profile.ID("need." + org + ".dispenser"),
		Organisation: profile.Organisation{Name: "Vaktsom AS", Type: profile.SME, Country: "NO"},
		Texts: []profile.Text{{
			Lang: "nb", Title: "Testmiljø for medisindispenser hos eldre hjemme",
			Description: "Vi har utviklet en medisindispenser og vil prøve den ut sammen med hjemmetjenesten og eldre brukere i egne hjem.",
		}},
		Cooperation: []profile.Cooperation{profile.TestWithEndUsers},
	}
}

func testPlace(org string) profile.Profile {
	return profile.Profile{
		ID:           profile.ID("test_place." + org + ".koti"),
		Organisation: profile.Organisation{Name: "Oulun testikoti", Type: profile.Municipality, Country: "FI"},
		Texts: []profile.Text{{
			Lang: "fi", Title: "Testipaikka ikäihmisten kotona",
			Description: "Kotihoidon tiimi testaa lääkeannostelijoita ja muuta hyvinvointiteknologiaa iäkkäiden käyttäjien kanssa heidän kotonaan.",
		}},
		Cooperation: []profile.Cooperation{profile.TestWithEndUsers},
	}
}

func (s *system) of(t *testing.T, id profile.ID) []suggestion.Suggestion {
	t.Helper()
	all, err := s.Suggestions(t.Context(), api.SuggestionsQuery{Lang: "nb", Filter: suggestion.Filter{Profile: id}})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAPublishedNeedBecomesASuggestionAMailAndAWebhook(t *testing.T) {
	t.Parallel()
	s := start(t, testkit.PassableDir(t))
	hook := testkit.HTTPSink(t)
	for _, sub := range []alert.Subscription{
		{Cluster: "default", Channel: alert.Email, Address: unique("aino") + "@example.org", Name: "Aino", Language: "fi"},
		{Cluster: "default", Channel: alert.Webhook, Address: hook.URL, Language: "nb"},
	} {
		if _, err := s.Subscribe(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	nc := s.connect(t)
	n, p := need(unique("vaktsom")), testPlace(unique("oulu"))
	publish(t, nc, event.TypeSubmitted, n.ID, n)
	publish(t, nc, event.TypeSubmitted, p.ID, p)

	mail := string(s.mail.Next(t).Data)
	if !strings.Contains(mail, string(n.ID)) && !strings.Contains(mail, "Vaktsom") {
		t.Errorf("mail does not tell of the pair:\n%s", mail)
	}
	var got struct {
		Data struct {
			DemandID string `json:"demand_id"`
			SupplyID string `json:"supply_id"`
			Reasons  []suggestion.Explained
		}
	}
	if err := json.Unmarshal(hook.Next(t).Body, &got); err != nil {
		t.Fatal(err)
	}
	if got.Data.DemandID != string(n.ID) || got.Data.SupplyID != string(p.ID) || len(got.Data.Reasons) == 0 {
		t.Errorf("webhook told %+v", got.Data)
	}

	found := s.of(t, n.ID)
	if len(found) != 1 || found[0].SupplyID != p.ID || found[0].Score <= 0 || found[0].Score > 1 {
		t.Fatalf("suggestions = %+v, want the test place alone", found)
	}
	if !slices.ContainsFunc(found[0].Reasons, func(r suggestion.Explained) bool {
		return r.Kind == "concept" && len(r.Demand) > 0 && len(r.Supply) > 0
	}) {
		t.Errorf("no reason quotes both texts: %+v", found[0].Reasons)
	}
	x, err := s.Explain(t.Context(), api.ExplainQuery{DemandID: n.ID, SupplyID: p.ID, Lang: "en"})
	if err != nil || !x.Live || x.Score != found[0].Score || x.Band != found[0].Band {
		t.Errorf("explain = %+v, %v; the row says %v %s", x, err, found[0].Score, found[0].Band)
	}

	// Edited ten times, the pair stays one and is told once.
	for range 9 {
		publish(t, nc, event.TypeSubmitted, n.ID, n)
	}
	s.say(t, nc, event.TypeSubmitted, n.ID, n)
	if found := s.of(t, n.ID); len(found) != 1 {
		t.Errorf("after ten revisions %d suggestions, want 1", len(found))
	}
	steps := []struct {
		kind string
		live int
	}{{event.TypePaused, 0}, {event.TypeResumed, 1}, {event.TypeRenewed, 1}, {event.TypeWithdrawn, 0}, {event.TypeResumed, 0}}
	for _, step := range steps {
		s.say(t, nc, step.kind, p.ID, nil)
		if found := s.of(t, n.ID); len(found) != step.live {
			t.Errorf("after %s %d suggestions, want %d", step.kind, len(found), step.live)
		}
	}
	s.settle(t)
	if mails, hooks := len(s.mail.Mails()), len(hook.Requests()); mails != 1 || hooks != 1 {
		t.Errorf("told by %d mails and %d webhooks, want once each", mails, hooks)
	}
}

// TestARejectionNamesEveryFault says four wrong things in one structured event,
// as any NATS client could, and hears of all of them at once.
func TestARejectionNamesEveryFault(t *testing.T) {
	t.Parallel()
	url := databaseOf(t)
	s := startOn(t, testkit.PassableDir(t), url)
	nc := s.connect(t)
	org := unique("acme")
	told, err := nc.SubscribeSync("rejections.need." + org + ".bad")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	id := profile.ID("need." + org + ".bad")
	publish(t, nc, event.TypeSubmitted, id, map[string]any{
		"id": id, "colour": "blue", "trl": map[string]int{"min": 3, "max": 12},
		"organisation": map[string]any{"name": "Acme", "type": "sme", "identifiers": []map[string]string{{"scheme": "orgnr", "value": "988077918"}}},
		"texts":        []map[string]string{{"lang": "nb", "title": strings.Repeat("x", 8<<10)}},
	})
	m, err := told.NextMsg(limit)
	if err != nil {
		t.Fatal(err)
	}
	e, err := event.Decode(event.Message{Subject: m.Subject, Header: m.Header, Data: m.Data})
	if err != nil || e.Type != event.TypeRejected {
		t.Errorf("told by an event of type %q, %v", e.Type, err)
	}
	var r event.Rejection
	if err := json.Unmarshal(e.Data, &r); err != nil {
		t.Fatal(err)
	}
	wanted := []string{"/colour", "/organisation/identifiers/0/value", "/texts/0/title", "/trl/max"}
	var paths []string
	for _, f := range r.Faults {
		paths = append(paths, f.Path)
		if f.Code == "" || f.Message == "" {
			t.Errorf("a fault without a code or a sentence: %+v", f)
		}
	}
	slices.Sort(paths)
	if r.ProfileID != id || !slices.Equal(paths, wanted) {
		t.Errorf("rejection of %s at %v, want %s at %v: %+v", r.ProfileID, paths, id, wanted, r.Faults)
	}

	// The row is there, says the same, and is the only one; so is the event.
	s.settle(t)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	rows, err := conn.Query(t.Context(), `SELECT intake_seq, faults FROM rejection WHERE profile_id = $1`, string(id))
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		IntakeSeq int64
		Faults    []event.Fault
	}
	kept, err := pgx.CollectRows(rows, pgx.RowToStructByPos[row])
	if err != nil || len(kept) != 1 || kept[0].IntakeSeq != int64(r.IntakeSeq) || !slices.Equal(kept[0].Faults, r.Faults) {
		t.Errorf("rows of rejection = %+v, %v; told was %+v", kept, err, r)
	}
	receipt, err := s.Receipt(t.Context(), id, r.IntakeSeq)
	if err != nil || receipt.State != api.Rejected || !slices.Equal(receipt.Faults, r.Faults) {
		t.Errorf("receipt = %+v, %v", receipt, err)
	}
	if err := nc.Flush(); err != nil { // what was published by now has come
		t.Fatal(err)
	}
	if n, _, err := told.Pending(); n != 0 || err != nil {
		t.Errorf("told %d times more, %v", n, err)
	}
}

func TestAStartAfterAStopGoesOn(t *testing.T) {
	t.Parallel()
	dir := testkit.PassableDir(t)
	org := unique("vaktsom")
	s := start(t, dir)
	n, p := need(org), testPlace(unique("oulu"))
	s.say(t, s.connect(t), event.TypeSubmitted, n.ID, n)
	s.stop()

	s = start(t, dir)
	s.say(t, s.connect(t), event.TypeSubmitted, p.ID, p)
	if found := s.of(t, n.ID); len(found) != 1 {
		t.Errorf("%d suggestions with a need of before the stop, want 1", len(found))
	}
}
