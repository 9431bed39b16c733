package profile

import (
	"cmp"
	"slices"
)

// Fault is one thing wrong with a profile, or with the event that carries it.
type Fault struct {
	// Path is a JSON Pointer into the profile, e.g. /texts/0/title; "" for the
	// profile, or the event, as a whole.
	Path    string `json:"path"`
	Code    string `json:"code"`    // one of the Code constants; a contract
	Message string `json:"message"` // a sentence for the producer; may change
}

// The codes of what can be wrong with a profile. Package event adds those of
// what can be wrong with an event.
const (
	CodeRequired         = "required"            // missing or empty
	CodeTooLong          = "too_long"            // more characters than allowed
	CodeTooMany          = "too_many"            // more items than allowed
	CodeOutOfRange       = "out_of_range"        // a number or a time outside its bounds
	CodeNotInList        = "not_in_list"         // not one of a closed list
	CodeBadForm          = "bad_form"            // does not look like what it should be
	CodeBadIdentifier    = "bad_identifier"      // wrong form or check digit
	CodePersonal         = "personal_identifier" // the number of a person
	CodeControlCharacter = "control_character"   // a character that must not be in a text
	CodeDuplicate        = "duplicate"           // said twice
	CodeWrongOrder       = "wrong_order"         // from is after until, min above max
)

// SortFaults orders faults by path, then code, and drops repeats.
func SortFaults(faults []Fault) []Fault {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Code, b.Code))
	})
	return slices.Compact(faults)
}
