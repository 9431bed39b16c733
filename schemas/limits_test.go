package schemas_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/api"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// at returns what a JSON Pointer names in an embedded schema.
func at(t *testing.T, name, pointer string) any {
	t.Helper()
	v, err := read(name)
	if err != nil {
		t.Fatal(err)
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		object, ok := v.(map[string]any)
		if !ok || object[token] == nil {
			t.Fatalf("%s has no %s", name, pointer)
		}
		v = object[token]
	}
	return v
}

func TestLimitsOfSchemasAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	for pointer, want := range map[string]int{
		"/$defs/text/properties/title/maxLength":               profile.MaxTitle,
		"/$defs/text/properties/summary/maxLength":             profile.MaxSummary,
		"/$defs/text/properties/description/maxLength":         profile.MaxDescription,
		"/$defs/text/properties/requirements/maxLength":        profile.MaxRequirements,
		"/$defs/text/properties/partner_role/maxLength":        profile.MaxPartnerRole,
		"/$defs/organisation/properties/name/maxLength":        profile.MaxName,
		"/$defs/organisation/properties/identifiers/maxItems":  profile.MaxIdentifiers,
		"/properties/texts/maxItems":                           profile.MaxTexts,
		"/properties/seeks_organisations/maxItems":             profile.MaxSeeks,
		"/properties/cooperation/maxItems":                     profile.MaxCooperation,
		"/properties/themes/maxItems":                          profile.MaxThemes,
		"/properties/themes/items/maxLength":                   profile.MaxTheme,
		"/properties/codes/maxItems":                           profile.MaxCodes,
		"/properties/codes/items/properties/scheme/maxLength":  profile.MaxScheme,
		"/properties/codes/items/properties/version/maxLength": profile.MaxScheme,
		"/properties/codes/items/properties/code/maxLength":    profile.MaxCode,
		"/properties/target_countries/maxItems":                profile.MaxTargets,
		"/properties/trl/properties/min/minimum":               profile.MinTRL,
		"/properties/trl/properties/min/maximum":               profile.MaxTRL,
		"/properties/trl/properties/max/minimum":               profile.MinTRL,
		"/properties/trl/properties/max/maximum":               profile.MaxTRL,
		"envelope.json/properties/id/maxLength":                event.MaxIDLen,
		"envelope.json/properties/source/maxLength":            event.MaxSourceLen,
		"rejected.json/properties/faults/maxItems":             event.MaxFaults,
	} {
		name, pointer, _ := strings.Cut(pointer, "/")
		if name == "" {
			name = "profile.json"
		}
		number, ok := at(t, name, pointer).(json.Number)
		if !ok {
			t.Fatalf("%s: %s is no number", name, pointer)
		}
		if got, err := number.Int64(); err != nil || int(got) != want {
			t.Errorf("%s: %s is %s, the code has %d", name, pointer, number, want)
		}
	}
}

func TestClosedListsOfSchemasAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	for pointer, want := range map[string][]string{
		"profile.json/$defs/text/properties/lang/enum":         append(slices.Clone(profile.Languages), "no"),
		"profile.json/$defs/organisation_type/enum":            names(profile.OrganisationTypes),
		"profile.json/$defs/identifier/properties/scheme/enum": names(profile.IdentifierSchemes),
		"profile.json/properties/cooperation/items/enum":       names(profile.Cooperations),
		"profile.json/properties/ipr/enum":                     names(profile.IPRs),
		"profile.json/properties/visibility/enum":              names(profile.Visibilities),
		"profile.json/properties/status/enum":                  names(profile.Statuses),
		"envelope.json/properties/type/enum":                   eventTypes,
		"suggestion-created.json/properties/band/enum":         names([]suggestion.Band{suggestion.Possible, suggestion.Strong}),
		"api.json/$defs/rematch/properties/state/enum": {
			string(api.RematchDue), string(api.RematchRuns), string(api.RematchFinished), string(api.RematchReplaced),
		},
		"api.json/$defs/receipt/properties/state/enum": {api.Waits, api.Accepted, api.Rejected, api.Superseded},
	} {
		name, pointer, _ := strings.Cut(pointer, "/")
		list, _ := at(t, name, pointer).([]any)
		var got []string
		for _, v := range list {
			s, _ := v.(string)
			got = append(got, s)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s (-code +schema):\n%s", name, pointer, diff)
		}
	}
}

func names[S ~string](values []S) []string {
	var s []string
	for _, v := range values {
		s = append(s, string(v))
	}
	return s
}

func TestFieldsOfSchemasAreThoseOfTheCode(t *testing.T) {
	t.Parallel()
	for pointer, goType := range map[string]any{
		"profile.json/properties":                        profile.Profile{},
		"profile.json/properties/trl/properties":         profile.TRL{},
		"profile.json/properties/place/properties":       profile.Place{},
		"profile.json/properties/codes/items/properties": profile.Code{},
		"profile.json/$defs/text/properties":             profile.Text{},
		"profile.json/$defs/organisation/properties":     profile.Organisation{},
		"profile.json/$defs/identifier/properties":       profile.Identifier{},
		"renewed.json/properties":                        event.Renewal{},
		"rejected.json/properties":                       event.Rejection{},
		"rejected.json/$defs/fault/properties":           event.Fault{},
		"suggestion-created.json/properties":             event.SuggestionCreated{},
		"api.json/$defs/status/properties":               api.Status{},
		"api.json/$defs/waiting/properties":              api.Waiting{},
		"api.json/$defs/receipt_query/properties":        api.ReceiptQuery{},
		"api.json/$defs/receipt/properties":              api.Receipt{},
		"api.json/$defs/suggestions_query/properties":    api.SuggestionsQuery{},
		"api.json/$defs/suggestions/properties":          api.Suggestions{},
		"api.json/$defs/suggestion/properties":           suggestion.Suggestion{},
		"api.json/$defs/reason/properties":               suggestion.Explained{},
		"api.json/$defs/span/properties":                 suggestion.Span{},
		"api.json/$defs/search_query/properties":         api.SearchQuery{},
		"api.json/$defs/hits/properties":                 api.Hits{},
		"api.json/$defs/hit/properties":                  api.Hit{},
		"api.json/$defs/explain_query/properties":        api.ExplainQuery{},
		"api.json/$defs/explanation/properties":          api.Explanation{},
		"api.json/$defs/part/properties":                 api.Explanation{}.Parts,
		"api.json/$defs/subscription/properties":         api.Subscriptions{}.Items,
		"api.json/$defs/subscriptions/properties":        api.Subscriptions{},
		"api.json/$defs/unsubscribe/properties":          api.Unsubscribe{},
		"api.json/$defs/unknown_query/properties":        api.UnknownQuery{},
		"api.json/$defs/unknown_words/properties":        api.UnknownWords{},
		"api.json/$defs/unknown_word/properties":         api.UnknownWord{},
		"api.json/$defs/index_query/properties":          api.IndexQuery{},
		"api.json/$defs/index_contents/properties":       api.IndexContents{},
		"api.json/$defs/index_item/properties":           api.IndexItem{},
		"api.json/$defs/dead_letters_query/properties":   api.LettersQuery{},
		"api.json/$defs/dead_letters/properties":         api.DeadLetters{},
		"api.json/$defs/dead_letter_row/properties":      api.DeadLetterRow{},
		"api.json/$defs/dead_letter_query/properties":    api.LetterQuery{},
		"api.json/$defs/dead_letter/properties":          api.DeadLetter{},
		"api.json/$defs/retried/properties":              api.Retried{},
	} {
		name, pointer, _ := strings.Cut(pointer, "/")
		object, _ := at(t, name, pointer).(map[string]any)
		var got []string
		for field := range object {
			got = append(got, field)
		}
		slices.Sort(got)
		want := fields(reflect.TypeOf(goType))
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s (-code +schema):\n%s", name, pointer, diff)
		}
	}
}

// fields returns the names under which JSON knows the fields of a struct, or of
// a list's entries.
func fields(t reflect.Type) []string {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	var all []string
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case f.Anonymous:
			all = append(all, fields(f.Type)...)
		default:
			all = append(all, name)
		}
	}
	return all
}
