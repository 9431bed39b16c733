package event

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"kobling/internal/profile"
	"kobling/schemas"
)

// dataSchema names the schema of each event's data.
var dataSchema = map[string]string{
	TypeDrafted:    "drafted.json",
	TypeSubmitted:  "submitted.json",
	TypePaused:     "paused.json",
	TypeResumed:    "resumed.json",
	TypeRenewed:    "renewed.json",
	TypeWithdrawn:  "withdrawn.json",
	TypeRevised:    "revised.json",
	TypeRejected:   "rejected.json",
	TypeSuggestion: "suggestion-created.json",
}

// root is where the compiler thinks the schemas are; nothing is fetched.
const root = "kobling:///"

// compiled returns the schemas of all events by type. They are embedded, so an
// error is a mistake in schemas/, which a test finds.
var compiled = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	// Times are what Go reads, so that what the schema lets pass can be decoded.
	c.RegisterFormat(&jsonschema.Format{Name: "date-time", Validate: func(v any) error {
		if s, ok := v.(string); ok {
			return new(time.Time).UnmarshalText([]byte(s))
		}
		return nil
	}})
	c.UseLoader(jsonschema.SchemeURLLoader{"kobling": embedded{}})
	all := make(map[string]*jsonschema.Schema, len(dataSchema))
	for eventType, name := range dataSchema {
		s, err := c.Compile(root + name)
		if err != nil {
			return nil, fmt.Errorf("compile schema %s: %w", name, err)
		}
		all[eventType] = s
	}
	return all, nil
})

// embedded loads schemas from package schemas.
type embedded struct{}

// Load implements jsonschema.URLLoader.
func (embedded) Load(url string) (any, error) {
	f, err := schemas.FS.Open(strings.TrimPrefix(url, root))
	if err != nil {
		return nil, err
	}
	v, err := jsonschema.UnmarshalJSON(f)
	return v, errors.Join(err, f.Close())
}

// conform returns everything in v that the schema of eventType does not allow.
func conform(eventType string, v any) ([]located, error) {
	all, err := compiled()
	if err != nil {
		return nil, err
	}
	err = all[eventType].Validate(v)
	if err == nil {
		return nil, nil
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil, err
	}
	return leaves(invalid, nil), nil
}

// leaves appends what is wrong at the ends of the tree of errors.
func leaves(e *jsonschema.ValidationError, to []located) []located {
	for _, cause := range e.Causes {
		to = leaves(cause, to)
	}
	if len(e.Causes) > 0 {
		return to
	}
	return append(to, explain(pointer(e.InstanceLocation), e.ErrorKind)...)
}

// explain says in a sentence what a keyword found.
func explain(at pointer, k jsonschema.ErrorKind) []located {
	name := "the data"
	if len(at) > 0 {
		name = fieldName(at)
	}
	one := func(code, format string, args ...any) []located { // about the value as a whole
		return []located{{at: at, code: code, text: name + " " + fmt.Sprintf(format, args...)}}
	}
	switch k := k.(type) {
	case *kind.AdditionalProperties:
		var all []located
		for _, field := range k.Properties {
			all = append(all, located{
				at: at.with(field), code: CodeUnknownField, text: fmt.Sprintf("there is no field %q here", shorten(field)),
			})
		}
		return all
	case *kind.Required:
		var all []located
		for _, field := range k.Missing {
			all = append(all, located{
				at: at.with(field), code: profile.CodeRequired, text: field + " is missing", unreadable: true,
			})
		}
		return all
	case *kind.Type:
		return unreadable(one(CodeWrongType, "must be of type %s, not %s", strings.Join(k.Want, " or "), k.Got))
	case *kind.Enum:
		return one(profile.CodeNotInList, "must be one of %s", values(k.Want))
	case *kind.Const:
		return one(profile.CodeNotInList, "must be %v", k.Want)
	case *kind.MinLength, *kind.MinItems:
		return one(profile.CodeRequired, "is empty")
	case *kind.MaxLength:
		return one(profile.CodeTooLong, "has %d characters, the limit is %d", k.Got, k.Want)
	case *kind.MaxItems:
		return one(profile.CodeTooMany, "has %d entries, the limit is %d", k.Got, k.Want)
	case *kind.Minimum:
		return one(profile.CodeOutOfRange, "must be at least %s", k.Want.RatString())
	case *kind.Maximum:
		return one(profile.CodeOutOfRange, "must be at most %s", k.Want.RatString())
	case *kind.Format:
		return unreadable(one(profile.CodeBadForm, "must be a time such as 2026-08-31T12:00:00Z"))
	default: // pattern, and whatever a schema may use one day
		return one(profile.CodeBadForm, "does not have the right form")
	}
}

func unreadable(all []located) []located {
	for i := range all {
		all[i].unreadable = true
	}
	return all
}

// fieldName returns the last name in at: an entry of a list is named by the
// list.
func fieldName(at pointer) string {
	last := at[len(at)-1]
	if _, err := strconv.Atoi(last); err == nil && len(at) > 1 {
		return "an entry of " + fieldName(at[:len(at)-1])
	}
	return shorten(last)
}

// values returns a closed list as a sentence shows it.
func values(list []any) string {
	names := make([]string, len(list))
	for i, v := range list {
		names[i] = fmt.Sprint(v)
	}
	return strings.Join(names, ", ")
}
