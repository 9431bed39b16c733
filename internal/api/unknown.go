package api

import (
	"context"

	"kobling/internal/analysis"
	"kobling/internal/profile"
)

// UnknownQuery asks for a page of the words that no concept knows: those of the
// published profiles that come after one, in order of id.
type UnknownQuery struct {
	After profile.ID `json:"after,omitempty"`
}

// UnknownWords is one page. The counts of all pages are to be added up. No text
// leaves the service, only its words.
type UnknownWords struct {
	Profiles int           `json:"profiles"`
	Words    []UnknownWord `json:"words"`
	Next     profile.ID    `json:"next,omitempty"` // what to ask for after; none: that was all
}

// UnknownWord is one form of a word.
type UnknownWord struct {
	Lang     string `json:"lang"` // "" if it cannot be told
	Key      string `json:"key"`  // alike for the forms of a word
	Word     string `json:"word"`
	Times    int    `json:"times"`
	Profiles int    `json:"profiles"` // that have this form first; those of all forms add up to those that have the word
}

// Limits of a page: how many profiles are read, after how many words it ends, and
// how many it has at most, whatever a profile holds, to fit in a message.
const (
	unknownProfiles = 100
	unknownEnough   = 2000
	unknownMost     = 4000
)

func (s *Service) unknown(ctx context.Context, q UnknownQuery) (UnknownWords, error) {
	if q.After != "" {
		if err := checkID("after", q.After); err != nil {
			return UnknownWords{}, err
		}
	}
	profiles, err := s.Ledger.LiveProfiles(ctx, q.After, unknownProfiles)
	if err != nil {
		return UnknownWords{}, err
	}
	out := UnknownWords{Words: []UnknownWord{}}
	type word struct{ lang, key string }
	at, last := make(map[analysis.Unknown]int), make(map[word]int)
	for _, p := range profiles {
		out.Profiles++
		for _, u := range s.Epoch.Analyzer().Unknown(p.Texts) {
			i, ok := at[u]
			if !ok {
				if len(out.Words) == unknownMost {
					continue
				}
				i = len(out.Words)
				at[u] = i
				out.Words = append(out.Words, UnknownWord{Lang: u.Lang, Key: u.Key, Word: u.Word})
			}
			out.Words[i].Times++
			if w := (word{u.Lang, u.Key}); last[w] != out.Profiles {
				last[w] = out.Profiles
				out.Words[i].Profiles++
			}
		}
		if out.Profiles == unknownProfiles || len(out.Words) >= unknownEnough {
			out.Next = p.ID
			break
		}
	}
	return out, nil
}
