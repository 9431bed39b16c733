package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/api"
	"kobling/internal/event"
	"kobling/internal/profile"
)

// unknownWordsAreCounted reads all pages, as other tests publish beside it: only
// its own words are looked at.
func unknownWordsAreCounted(t *testing.T, s *service) { //nolint:thelper // a test of TestAPI
	// Enough words for pages to end before they hold a hundred profiles.
	var many []profile.Profile
	for i := range 4 {
		var words strings.Builder
		for n := range 780 {
			fmt.Fprintf(&words, "z%c%c%c ", 'a'+n%26, 'a'+n/26%26, 'a'+n/676+2*i)
		}
		p := of(profile.ID(fmt.Sprintf("offer.unknown.many-%d", i)), "SE", text("sv", "Gurkburkar och"))
		p.Texts[0].Description = words.String()
		many = append(many, p)
	}
	gone := profile.ID("offer.unknown.gone")
	s.publish(t, append(many,
		of("offer.unknown.a", "SE", text("sv", "Gurkburken, gurkburk och gurkburk")),
		of(gone, "SE", text("sv", "Gurkburk")))...)
	s.await(t, gone, s.submit(t, event.TypePaused, gone, struct{}{}))

	var q api.UnknownQuery
	forms := map[string][2]int{}
	pages, most := 0, 0
	for more := true; more; more = q.After != "" {
		page := ask[api.UnknownWords](t, s, api.OpUnknown, "unknown_words", q)
		if page.Next != "" && page.Next <= q.After {
			t.Fatalf("after %s comes %s", q.After, page.Next)
		}
		pages, most, q.After = pages+1, max(most, len(page.Words)), page.Next
		for _, w := range page.Words {
			if strings.HasPrefix(w.Word, "gurkb") {
				name := w.Lang + " " + w.Key + " " + w.Word
				forms[name] = [2]int{forms[name][0] + w.Times, forms[name][1] + w.Profiles}
			}
			if w.Word == "och" {
				t.Errorf("%+v is a function word", w)
			}
		}
	}
	// A profile counts at the first form it has.
	want := map[string][2]int{"sv gurkburk gurkburkar": {4, 4}, "sv gurkburk gurkburken": {1, 1}, "sv gurkburk gurkburk": {2, 0}}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Errorf("words, times and profiles (-want +got):\n%s", diff)
	}
	if pages < 2 || most > 4000 {
		t.Errorf("%d pages, the longest of %d words", pages, most)
	}
}
