package e2e_test

import (
	"encoding/json"
	netmail "net/mail"
	"slices"
	"strings"
	"testing"

	"kobling/internal/alert"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
	"kobling/internal/testkit"
)

// inTwoLanguages is one need, posted twice.
func inTwoLanguages(org string) [2]profile.Profile {
	danish, english := need(org), need(org)
	danish.Organisation = profile.Organisation{Name: "Faldvagt ApS", Type: profile.SME, Country: "DK"}
	english.Organisation = danish.Organisation
	english.ID = profile.ID("need." + org + ".dispenser-en")
	danish.Texts = []profile.Text{{
		Lang: "da", Title: "Testmiljø for medicindispenser hos ældre i eget hjem",
		Description: "Vi har udviklet en medicindispenser og vil prøve den af sammen med hjemmeplejen og ældre brugere i deres egne hjem.",
	}}
	english.Texts = []profile.Text{{
		Lang: "en", Title: "Test environment for a medicine dispenser with older people at home",
		Description: "We have developed a medicine dispenser and want to try it out together with home care and older users in their own homes.",
	}}
	return [2]profile.Profile{danish, english}
}

// TestANeedPostedInTwoLanguagesIsToldOnceInFull has the advisor hear of both:
// once in full, and then that it is also posted as something else.
func TestANeedPostedInTwoLanguagesIsToldOnceInFull(t *testing.T) {
	t.Parallel()
	s := start(t, testkit.PassableDir(t))
	hook := testkit.HTTPSink(t)
	for _, sub := range []alert.Subscription{
		{Cluster: "default", Channel: alert.Email, Address: unique("mette") + "@example.org", Name: "Mette", Language: "da"},
		{Cluster: "default", Channel: alert.Webhook, Address: hook.URL, Language: "en"},
	} {
		if _, err := s.Subscribe(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	nc := s.connect(t)
	posted, p := inTwoLanguages(unique("faldvagt")), testPlace(unique("oulu"))
	for _, n := range posted {
		s.say(t, nc, event.TypeSubmitted, n.ID, n)
	}
	s.say(t, nc, event.TypeSubmitted, p.ID, p)

	var mails []*netmail.Message
	for range posted {
		m, err := netmail.ReadMessage(strings.NewReader(string(s.mail.Next(t).Data)))
		if err != nil {
			t.Fatal(err)
		}
		mails = append(mails, m)
	}
	full, short := mails[0].Header, mails[1].Header
	if full.Get("In-Reply-To") != "" || full.Get("Message-Id") == "" || short.Get("In-Reply-To") != full.Get("Message-Id") {
		t.Errorf("the first mail %v, the second %v; want the second to answer the first", full, short)
	}

	type told struct {
		Data struct {
			DemandID profile.ID `json:"demand_id"`
			Also     *struct {
				ID             profile.ID
				Title          string
				NotificationID string `json:"notification_id"`
			} `json:"also_posted_as"`
		}
	}
	var hooks [2]told
	var first string
	for i := range hooks {
		r := hook.Next(t)
		if err := json.Unmarshal(r.Body, &hooks[i]); err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = r.Header.Get("Webhook-Id")
		}
	}
	a, b := hooks[0].Data, hooks[1].Data
	if a.Also != nil || b.Also == nil || a.DemandID == b.DemandID || b.Also.ID != a.DemandID || b.Also.NotificationID != first {
		t.Errorf("told of %s (%+v), then of %s (%+v)", a.DemandID, a.Also, b.DemandID, b.Also)
	}

	// Both are listed as before, and the later one is marked.
	found := s.of(t, p.ID)
	marked := slices.IndexFunc(found, func(x suggestion.Suggestion) bool { return x.AlsoPostedAs != nil })
	if len(found) != 2 || marked < 0 || found[1-marked].AlsoPostedAs != nil ||
		found[marked].AlsoPostedAs.ID != found[1-marked].DemandID || found[marked].AlsoPostedAs.Title != found[1-marked].DemandTitle {
		t.Errorf("suggestions = %+v, want two, one of them marked", found)
	}
	s.settle(t)
	if mails, hooks := len(s.mail.Mails()), len(hook.Requests()); mails != 2 || hooks != 2 {
		t.Errorf("told by %d mails and %d webhooks, want two each", mails, hooks)
	}
}
