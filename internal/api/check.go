package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	netmail "net/mail"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"kobling/internal/alert"
	"kobling/internal/fault"
	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// decode reads a request as schemas/api.json describes it: an unknown field is
// refused, for it may be a misspelt one. Nothing at all asks with no fields.
func decode(request []byte, in any) error {
	if len(bytes.TrimSpace(request)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(request))
	d.DisallowUnknownFields()
	if err := d.Decode(in); err != nil {
		return fmt.Errorf("request: %w: %w", fault.ErrInvalid, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("request: %w: more follows the JSON object", fault.ErrInvalid)
	}
	return nil
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", fault.ErrInvalid, fmt.Sprintf(format, args...))
}

// checkID refuses what names no profile; it must not reach a subject.
func checkID(field string, id profile.ID) error {
	if _, err := profile.ParseID(string(id)); err != nil {
		return invalid("%s: %v", field, err)
	}
	return nil
}

func checkFilter(f suggestion.Filter) error {
	switch {
	case f.Limit < 0 || f.Offset < 0:
		return invalid("limit and offset must not be negative")
	case f.MinBand != "" && f.MinBand.Rank() == 0:
		return invalid("min_band: %q is not one of possible, strong", f.MinBand)
	case f.Cluster != "" && !profile.ValidToken(f.Cluster):
		return invalid("cluster: %q must be 1 to 64 of A-Z a-z 0-9 _ -", f.Cluster)
	case f.Profile != "":
		return checkID("profile", f.Profile)
	}
	return nil
}

// checkSearch refuses a query that cannot be answered.
func checkSearch(q SearchQuery) error {
	switch {
	case strings.TrimSpace(q.Text) == "" || len(q.Text) > maxQuery:
		return invalid("a search takes 1 to %d bytes of text", maxQuery)
	case q.Limit < 0:
		return invalid("limit must not be negative")
	case q.Side != "" && q.Side != profile.Demand && q.Side != profile.Supply:
		return invalid("side: %q is not one of demand, supply", q.Side)
	}
	return nil
}

// maxAddress bounds an e-mail address or a URL, in bytes.
const maxAddress = 2000

// checkSubscription refuses what could not be told.
func (s *Service) checkSubscription(sub alert.Subscription) error {
	if len(sub.Address) > maxAddress {
		return invalid("the address is longer than %d bytes", maxAddress)
	}
	switch sub.Channel {
	case alert.Email:
		if a, err := netmail.ParseAddress(sub.Address); err != nil || a.Address != sub.Address {
			return invalid("%q is not an e-mail address", sub.Address)
		}
	case alert.Webhook:
		if err := s.CheckURL(sub.Address); err != nil {
			return err
		}
	default:
		return invalid("channel: %q is not one of email, webhook", sub.Channel)
	}
	switch {
	case sub.MinBand != "" && sub.MinBand.Rank() == 0:
		return invalid("min_band: %q is not one of possible, strong", sub.MinBand)
	case sub.Language != "" && !known(sub.Language):
		return invalid("language: %q is not one of %s", sub.Language, strings.Join(profile.Languages, ", "))
	case !profile.ValidToken(sub.Cluster):
		return invalid("cluster: %q must be 1 to 64 of A-Z a-z 0-9 _ -", sub.Cluster)
	case utf8.RuneCountInString(sub.Name) > profile.MaxName || strings.ContainsFunc(sub.Name, unicode.IsControl):
		return invalid("name: it must be one line of at most %d characters", profile.MaxName)
	}
	return nil
}

// known reports whether lang, perhaps with a region as in nb-NO, is one of ours.
func known(lang string) bool {
	base, _, _ := strings.Cut(strings.ToLower(lang), "-")
	return base == "no" || slices.Contains(profile.Languages, base)
}
