package importer

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"kobling/internal/event"
	"kobling/internal/profile"
)

// Mapping says where the fields of a profile come from. A field is a dotted
// path: "kind", "org" and "local" make the id, unless "id" is given whole;
// "texts.<lang>.<title|summary|description|requirements|partner_role>" one text;
// "organisation.name", "organisation.identifiers.<scheme>", "trl.min",
// "place.nuts" and so on as in schemas/profile.json. Lists are separated by ; or
// |, a time may be a day (of valid_until the last one). Several sources joined by
// + are put together with a blank line.
type Mapping struct {
	Set  map[string]string // field → constant
	From map[string]string // field → source column or JSON key
	Clip bool              // cut texts to their limits instead of refusing them
}

// Empty reports whether records are profiles already.
func (m Mapping) Empty() bool { return len(m.Set) == 0 && len(m.From) == 0 }

// Check says which fields do not exist.
func (m Mapping) Check() error {
	var errs []error
	for _, fields := range []map[string]string{m.From, m.Set} {
		for f := range fields {
			if fieldKind(f) == unknown {
				errs = append(errs, fmt.Errorf("field %q does not exist; see: kobling import --help", f))
			}
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// checkColumns says which columns the mapping takes that the header does not
// have, or has twice.
func (m Mapping) checkColumns(header []string) error {
	var errs []error
	for _, f := range sortedKeys(m.From) {
		for name := range strings.SplitSeq(m.From[f], "+") {
			switch n := count(header, name); {
			case n == 0:
				errs = append(errs, fmt.Errorf("field %s: there is no column %q; the columns are %s", f, name, strings.Join(header, ", ")))
			case n > 1:
				errs = append(errs, fmt.Errorf("field %s: there are %d columns %q", f, n, name))
			}
		}
	}
	return errors.Join(errs...)
}

func count(names []string, name string) int {
	n := 0
	for _, x := range names {
		if x == name {
			n++
		}
	}
	return n
}

// kind is how a field's text becomes JSON.
type kind int

const (
	unknown kind = iota
	text
	list
	number
	boolean
	moment
)

var fields = map[string]kind{
	"id": text, "kind": text, "org": text, "local": text, "cluster": text, "contact": text, "ipr": text, "visibility": text, "call": text,
	"organisation.name": text, "organisation.type": text, "organisation.country": text, "organisation.legal_entity_id": text,
	"place.country": text, "place.nuts": text,
	"seeks_organisations": list, "cooperation": list, "themes": list, "target_countries": list,
	"trl.min": number, "trl.max": number, "anonymous": boolean,
	"valid_from": moment, "valid_until": moment, "deadline": moment,
}

// textLimits are the limits that Clip cuts to, in characters.
var textLimits = map[string]int{
	"title": profile.MaxTitle, "summary": profile.MaxSummary, "description": profile.MaxDescription,
	"requirements": profile.MaxRequirements, "partner_role": profile.MaxPartnerRole,
}

func fieldKind(f string) kind {
	if k, ok := fields[f]; ok {
		return k
	}
	parts := strings.Split(f, ".")
	if len(parts) == 3 && parts[0] == "texts" && textLimits[parts[2]] > 0 {
		return text
	}
	if len(parts) == 3 && parts[0] == "organisation" && parts[1] == "identifiers" {
		return text
	}
	return unknown
}

// fill makes rec's profile out of one record of the source.
func (m Mapping) fill(rec *Record, source map[string]any) {
	b := builder{rec: rec, clip: m.Clip, profile: map[string]any{}, texts: map[string]map[string]any{}}
	for _, f := range sortedKeys(m.Set) {
		b.set(f, m.Set[f])
	}
	for _, f := range sortedKeys(m.From) {
		var parts []string
		for name := range strings.SplitSeq(m.From[f], "+") {
			s, err := plain(source[name])
			if err != nil {
				b.fault(f, fmt.Sprintf("the source %q %s", name, err))
			} else if s != "" {
				parts = append(parts, s)
			}
		}
		if len(parts) > 0 {
			b.set(f, strings.Join(parts, "\n\n"))
		}
	}
	b.finish()
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// plain returns a JSON value as the text a column would have.
func plain(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return strings.TrimSpace(v), nil
	case map[string]any:
		return "", errors.New("is an object, not a text")
	case []any:
		var parts []string
		for _, p := range v {
			s, err := plain(p)
			if err != nil {
				return "", fmt.Errorf("is a list in which something %w", err)
			}
			if s != "" {
				parts = append(parts, s)
			}
		}
		return strings.Join(parts, "; "), nil
	}
	return fmt.Sprint(v), nil
}

type builder struct {
	rec     *Record
	clip    bool
	profile map[string]any
	texts   map[string]map[string]any
	id      struct{ whole, kind, org, local string }
}

func (b *builder) set(field, value string) {
	v, err := convert(fieldKind(field), value)
	if err != nil {
		b.fault(field, err.Error())
		return
	}
	if day, err := time.Parse(time.DateOnly, value); err == nil && field == "valid_until" {
		v = day.AddDate(0, 0, 1).Format(time.RFC3339) // the day is the last one
	}
	parts := strings.Split(field, ".")
	switch {
	case field == "id":
		b.id.whole = value
	case field == "kind":
		b.id.kind = value
	case field == "org":
		b.id.org = value
	case field == "local":
		b.id.local = value
	case parts[0] == "texts":
		if b.texts[parts[1]] == nil {
			b.texts[parts[1]] = map[string]any{"lang": parts[1]}
		}
		b.texts[parts[1]][parts[2]] = b.cut(value, textLimits[parts[2]])
	case len(parts) == 3: // organisation.identifiers.<scheme>
		org := b.child("organisation")
		known, _ := org["identifiers"].([]any)
		org["identifiers"] = append(known, map[string]any{"scheme": parts[2], "value": value})
	case len(parts) == 2:
		b.child(parts[0])[parts[1]] = v
	default:
		b.profile[field] = v
	}
}

func (b *builder) fault(field, message string) {
	b.rec.Faults = append(b.rec.Faults, event.Fault{Path: "/" + strings.ReplaceAll(field, ".", "/"), Code: event.CodeWrongType, Message: message})
}

func (b *builder) child(name string) map[string]any {
	c, ok := b.profile[name].(map[string]any)
	if !ok {
		c = map[string]any{}
		b.profile[name] = c
	}
	return c
}

func (b *builder) cut(s string, limit int) string {
	short, cut := shorten(s, limit)
	if !b.clip || !cut {
		return s
	}
	b.rec.Clipped++
	return short
}

// shorten cuts s to limit characters, if it is longer.
func shorten(s string, limit int) (string, bool) {
	r := []rune(s)
	if len(r) <= limit {
		return s, false
	}
	return strings.TrimSpace(string(r[:limit-1])) + "…", true
}

// clip cuts the texts of a profile that is given as it is, and reports whether
// there was anything to cut.
func clip(rec *Record, p map[string]any) bool {
	texts, _ := p["texts"].([]any)
	for _, t := range texts {
		t, _ := t.(map[string]any)
		for name, limit := range textLimits {
			if s, ok := t[name].(string); ok {
				if short, cut := shorten(s, limit); cut {
					t[name] = short
					rec.Clipped++
				}
			}
		}
	}
	return rec.Clipped > 0
}

func (b *builder) finish() {
	org, _ := b.profile["organisation"].(map[string]any)
	name, _ := org["name"].(string)
	if b.id.org == "" {
		b.id.org = name
	}
	if b.id.whole == "" {
		b.id.whole = b.id.kind + "." + Token(b.id.org) + "." + Token(b.id.local)
	}
	b.profile["id"] = b.id.whole
	langs := make([]string, 0, len(b.texts))
	for l := range b.texts {
		langs = append(langs, l)
	}
	slices.Sort(langs)
	texts := []any{}
	for _, l := range langs {
		if b.texts[l]["title"] != nil { // a language without a title is not there
			texts = append(texts, b.texts[l])
		}
	}
	b.profile["texts"] = texts
	data, err := json.Marshal(b.profile)
	if err != nil {
		b.rec.Faults = append(b.rec.Faults, event.Fault{Code: event.CodeNotJSON, Message: err.Error()})
		return
	}
	b.rec.Data = data
}

func convert(k kind, s string) (any, error) {
	switch k {
	case number:
		n, err := strconv.Atoi(s)
		if err != nil {
			return nil, fmt.Errorf("not a whole number: %q", s)
		}
		return n, nil
	case boolean:
		v, err := strconv.ParseBool(s)
		if err != nil {
			return nil, fmt.Errorf("not true or false: %q", s)
		}
		return v, nil
	case moment:
		if len(s) == len("2006-01-02") {
			return s + "T00:00:00Z", nil
		}
		return s, nil
	case list:
		parts := []string{}
		for p := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ';' || r == '|' }) {
			if p = strings.TrimSpace(p); p != "" {
				parts = append(parts, p)
			}
		}
		return parts, nil
	case text, unknown:
	}
	return s, nil
}

// Token makes s fit to stand in a profile's id: letters without marks, digits,
// - and _, at most 64; what was longer ends with a checksum of the whole.
func Token(s string) string {
	if profile.ValidToken(s) {
		return s
	}
	letters := strings.NewReplacer("æ", "ae", "ø", "o", "å", "a", "ß", "ss", "ð", "d", "þ", "th", "ł", "l")
	var b strings.Builder
	for _, r := range norm.NFKD.String(letters.Replace(strings.ToLower(s))) {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '_'):
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // the mark of a letter that was taken apart
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	t := strings.Trim(b.String(), "-")
	if len(t) > 64 || t == "" && s != "" {
		h := fnv.New32a()
		_, _ = h.Write([]byte(s)) // never fails
		t = fmt.Sprintf("%s-%08x", t[:min(len(t), 55)], h.Sum32())
		t = strings.TrimLeft(t, "-")
	}
	return t
}
