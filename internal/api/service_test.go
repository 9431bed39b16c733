package api_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"kobling/internal/alert"
	"kobling/internal/api"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// TestAPI asks one service, in parallel, what only real answers can show.
func TestAPI(t *testing.T) {
	t.Parallel()
	s := start(t)
	for name, test := range map[string]func(*testing.T, *service){
		"a pair is suggested and explained in the reader's language": pairsAreExplained,
		"a long list comes in pages":                                 listsComeInPages,
		"a search shows what may be shown":                           searchesShowWhatMayBeShown,
		"a receipt follows a submission":                             receiptsFollow,
		"unknown words come in pages":                                unknownWordsAreCounted,
		"a subscription is made, changed and ended":                  subscriptionsLive,
		"a bad request is refused with a sentence":                   badRequestsAreRefused,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s)
		})
	}
}

func pairsAreExplained(t *testing.T, s *service) { //nolint:thelper // a test of TestAPI
	need, offer := profile.ID("need.pairs.fall"), profile.ID("offer.pairs-b.fald")
	s.publish(t,
		of(need, "NO", text("nb", "Fallsensor og falldeteksjon i hjemmetjenesten"), text("en", "Fall sensor in home care")),
		of(offer, "DK", text("da", "Faldsensorer og falddetektion i hjemmeplejen")),
		of("offer.pairs-b.protein", "DK", text("da", "Proteinkrystallografi")),
	)
	for _, tt := range []struct{ lang, demand, label string }{
		{"nb", "Fallsensor og falldeteksjon i hjemmetjenesten", ""},
		{"fi", "Fall sensor in home care", "kaatumisen tunnistus"},
		{"da-DK", "Fallsensor og falldeteksjon i hjemmetjenesten", ""}, // a neighbour's language before English
		{"xx", "Fall sensor in home care", "fall detection"},
		{"", "Fall sensor in home care", "fall detection"},
	} {
		page := ask[api.Suggestions](t, s, api.OpSuggestions, "suggestions",
			api.SuggestionsQuery{Filter: suggestion.Filter{Profile: need}, Lang: tt.lang})
		if len(page.Items) != 1 || page.Items[0].SupplyID != offer || page.Next != 0 {
			t.Fatalf("suggestions in %q = %+v, want the one offer that fits", tt.lang, page)
		}
		got := page.Items[0]
		if got.DemandTitle != tt.demand || got.FirstLiveAt.IsZero() {
			t.Errorf("in %q the demand is %q, want %q", tt.lang, got.DemandTitle, tt.demand)
		}
		if !slices.ContainsFunc(got.Reasons, func(r suggestion.Explained) bool {
			return (tt.label == "" || r.Label == tt.label) && len(r.Demand) > 0 && len(r.Supply) > 0
		}) {
			t.Errorf("in %q no reason is called %q and quotes both: %+v", tt.lang, tt.label, got.Reasons)
		}
		// Either order asks the same, and the list and the explanation agree.
		x := ask[api.Explanation](t, s, api.OpExplain, "explanation", api.ExplainQuery{DemandID: offer, SupplyID: need, Lang: tt.lang})
		if !x.Live || len(x.Gate) > 0 || x.DemandID != need || x.Score != got.Score || x.Band != got.Band || x.DemandTitle != tt.demand {
			t.Errorf("explanation in %q = %+v, the list says %+v", tt.lang, x, got)
		}
	}
	x := ask[api.Explanation](t, s, api.OpExplain, "explanation", api.ExplainQuery{DemandID: need, SupplyID: "offer.pairs-b.protein"})
	if x.Live || x.Band != "" || len(x.Gate) == 0 {
		t.Errorf("a pair with nothing in common: %+v", x)
	}
	s.await(t, offer, s.submit(t, event.TypePaused, offer, struct{}{}))
	x = ask[api.Explanation](t, s, api.OpExplain, "explanation", api.ExplainQuery{DemandID: need, SupplyID: offer})
	if x.Live || len(x.Gate) == 0 || x.Score == 0 {
		t.Errorf("a paused offer: %+v, want a score and why it is not shown", x)
	}
}

func listsComeInPages(t *testing.T, s *service) { //nolint:thelper // a test of TestAPI
	const n = api.MaxPage + 5
	need, long := profile.ID("need.pages.all"), profile.ID("need.pages-c.long")
	asked := text("nb", "Ultralyd av leveren")
	asked.Description = "Vi vil undersøke leveren med ultralyd og elastografi, uten biopsi."
	// The rows of the other need are long, and JSON writes "&" with six bytes.
	more := text("nb", asked.Title+" "+strings.Repeat("&", profile.MaxTitle/2))
	more.Description = asked.Description + " Pasientene har diabetes og fettlever, og vi søker radiologer som kan lese bildene og måle fett og arrdannelse."
	offered := text("sv", "Ultraljud av levern och elastografi")
	offered.Description = "Vår röntgenklinik undersöker levern med ultraljud och elastografi hos patienter med diabetes och fettlever. Radiologer läser bilderna och mäter fett och ärrbildning utan biopsi."
	all := []profile.Profile{of(need, "NO", asked), of(long, "NO", more)}
	for i := range n {
		all = append(all, of(profile.ID(fmt.Sprintf("offer.pages-b.%d", i)), "SE", offered))
	}
	s.publish(t, all...)

	sizes, bytes := pages(t, s, need, n)
	if !slices.Equal(sizes, []int{api.MaxPage, 5}) {
		t.Errorf("pages of %v (%v bytes), want %d in pages of %d at most", sizes, bytes, n, api.MaxPage)
	}
	room := int(s.nc.MaxPayload())
	if sizes, bytes = pages(t, s, long, n); sizes[0] >= api.MaxPage || bytes[0] > room || bytes[0] < room*9/10 {
		t.Errorf("long rows come in pages of %v with %v bytes, want as many as %d bytes take", sizes, bytes, room)
	}
	found, err := s.Suggestions(t.Context(), api.SuggestionsQuery{Filter: suggestion.Filter{Profile: long, Limit: api.MaxPage + 1}})
	if err != nil || len(found) != api.MaxPage+1 {
		t.Errorf("the command for %d long rows gets %d, %v", api.MaxPage+1, len(found), err)
	}
	page := ask[api.Suggestions](t, s, api.OpSuggestions, "suggestions", api.SuggestionsQuery{Filter: suggestion.Filter{Profile: need, Limit: 3}})
	if len(page.Items) != 3 || page.Next != 3 {
		t.Errorf("a page of three has %d, and the next begins at %d", len(page.Items), page.Next)
	}
	page = ask[api.Suggestions](t, s, api.OpSuggestions, "suggestions", api.SuggestionsQuery{Filter: suggestion.Filter{Profile: "need.pages.none"}})
	if len(page.Items) != 0 {
		t.Errorf("a profile that is not there has %d suggestions", len(page.Items))
	}
	// A search has its own limits: ten unless asked for more, a hundred at most.
	for asked, want := range map[int]int{0: 10, 3: 3, 100: 100, 1000: 100} {
		hits := ask[api.Hits](t, s, api.OpSearch, "hits", api.SearchQuery{Text: "ultraljud av levern", Side: profile.Supply, Limit: asked})
		if len(hits.Items) != want {
			t.Errorf("a search for %d hits finds %d, want %d", asked, len(hits.Items), want)
		}
	}
}

// pages asks for the suggestions of id page by page, which must be n different
// ones, and returns how many each page has and how many bytes.
func pages(t *testing.T, s *service, id profile.ID, n int) (sizes, bytes []int) {
	t.Helper()
	seen := map[profile.ID]bool{}
	for offset := 0; ; {
		page := ask[api.Suggestions](t, s, api.OpSuggestions, "suggestions",
			api.SuggestionsQuery{Filter: suggestion.Filter{Profile: id, Offset: offset, Limit: 10 * api.MaxPage}})
		b, err := json.Marshal(page)
		if err != nil {
			t.Fatal(err)
		}
		sizes, bytes = append(sizes, len(page.Items)), append(bytes, len(b))
		for _, x := range page.Items {
			seen[x.SupplyID] = true
		}
		if offset += len(page.Items); page.Next == 0 {
			break
		}
		if page.Next != offset || len(page.Items) == 0 {
			t.Fatalf("after %d suggestions the next begins at %d", offset, page.Next)
		}
	}
	if len(seen) != n {
		t.Errorf("pages of %v have %d suggestions of %s, want %d", sizes, len(seen), id, n)
	}
	return sizes, bytes
}

func searchesShowWhatMayBeShown(t *testing.T, s *service) { //nolint:thelper // a test of TestAPI
	shown := of("offer.search.shown", "FI", text("fi", "Haavanhoito kotona"), text("en", "Wound care at home"))
	private := of("offer.search.private", "FI", text("fi", "Haavanhoito kotona"))
	private.Visibility = profile.VisiblePrivate
	anonymous := of("need.search.anonymous", "NO", text("nb", "Sårbehandling i hjemmet"))
	anonymous.Anonymous = true
	withdrawn := of("offer.search.withdrawn", "FI", text("fi", "Haavanhoito kotona"))
	s.publish(t, shown, private, anonymous, withdrawn)
	s.await(t, withdrawn.ID, s.submit(t, event.TypeWithdrawn, withdrawn.ID, struct{}{}))

	for _, tt := range []struct {
		q    api.SearchQuery
		want []profile.ID
	}{
		{api.SearchQuery{Text: "wound care at home"}, []profile.ID{anonymous.ID, shown.ID}},
		{api.SearchQuery{Text: "sårbehandling i hjemmet", Lang: "nb", Side: profile.Supply}, []profile.ID{shown.ID}},
		{api.SearchQuery{Text: "haavanhoito", Lang: "xx", Side: profile.Demand}, []profile.ID{anonymous.ID}}, // detected instead
		{api.SearchQuery{Text: "zzzz qqqq"}, nil},
		{api.SearchQuery{Text: "!?"}, nil},
	} {
		hits := ask[api.Hits](t, s, api.OpSearch, "hits", tt.q)
		var got []profile.ID
		for i, h := range hits.Items {
			if i > 0 && h.Score > hits.Items[i-1].Score {
				t.Errorf("%+v: hit %d is better than the one before", tt.q, i)
			}
			if strings.Contains(string(h.ID), ".search.") {
				got = append(got, h.ID)
			}
			if h.ID == anonymous.ID && h.Organisation != "" {
				t.Errorf("an anonymous profile is of %s", h.Organisation)
			}
			if h.ID == shown.ID && (h.Organisation == "" || h.Country != "FI" || h.Title != "Wound care at home") {
				t.Errorf("hit = %+v", h)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%+v finds %v, want %v", tt.q, got, tt.want)
		}
	}
}

func subscriptionsLive(t *testing.T, s *service) { //nolint:thelper // a test of TestAPI
	sub := alert.Subscription{Cluster: "default", Channel: alert.Email, Address: "aino@example.org", Language: "fi", Name: "Aino Ä", MinBand: suggestion.Strong}
	made := ask[api.NewSubscription](t, s, api.OpSubscribe, "new_subscription", sub)
	if !made.Active || made.MinBand != suggestion.Strong || made.Secret != "" || made.CreatedAt.IsZero() {
		t.Errorf("made %+v", made)
	}
	// The same again changes it; an id of the caller's is not heeded.
	sub.ID, sub.MinBand, sub.Language = made.ID, "", "nb-NO"
	again := ask[api.NewSubscription](t, s, api.OpSubscribe, "new_subscription", sub)
	if again.ID != made.ID || again.MinBand != suggestion.Possible || again.Language != "nb-NO" {
		t.Errorf("changed to %+v", again)
	}
	sub.Address = "other@example.org"
	if other := ask[api.NewSubscription](t, s, api.OpSubscribe, "new_subscription", sub); other.ID == made.ID {
		t.Error("two subscriptions have one id")
	}
	hook := ask[api.NewSubscription](t, s, api.OpSubscribe, "new_subscription",
		alert.Subscription{Cluster: "default", Channel: alert.Webhook, Address: "https://hooks.example.org/k", MinBand: suggestion.Possible})
	if !strings.HasPrefix(hook.Secret, "whsec_") || len(hook.Secret) < 40 {
		t.Errorf("the secret is %q", hook.Secret)
	}
	if _, code := s.raw(t, api.OpUnsubscribe, fmt.Sprintf(`{"id":%q}`, made.ID)); code != "" {
		t.Errorf("unsubscribe: %s", code)
	}
	list, _ := s.raw(t, api.OpSubscriptions, "")
	if strings.Contains(string(list), "whsec_") {
		t.Errorf("a list shows a secret: %s", list)
	}
	for _, x := range ask[api.Subscriptions](t, s, api.OpSubscriptions, "subscriptions", struct{}{}).Items {
		if x.ID == made.ID && x.Active {
			t.Error("the ended subscription is active")
		}
	}
}
