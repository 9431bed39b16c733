package api

import (
	"encoding/json"
	"slices"
	"strings"

	"kobling/internal/suggestion"
)

// frame is what an answer has around its rows, in bytes, and some more: how JSON
// is written may not decide whether an answer can be sent.
const frame = 1 << 10

// list holds the rows of one answer, as many as one message takes.
type list[T any] struct {
	rows []T
	room int // bytes left
}

func newList[T any](room int) *list[T] { return &list[T]{rows: []T{}, room: room - frame} }

// add adds row and reports whether it was taken: the first always is, so that
// whoever asks page by page comes on.
func (l *list[T]) add(row T) (bool, error) {
	b, err := json.Marshal(row)
	if err != nil {
		return false, err
	}
	l.room -= len(b) + len(",")
	if l.room < 0 && len(l.rows) > 0 {
		return false, nil
	}
	l.rows = append(l.rows, row)
	return true, nil
}

// What a row of a list quotes of one reason on each side; explain shows all.
const (
	maxSpans = 3   // quotations
	maxQuote = 200 // bytes of one: a name that somebody filled with dots is none
)

// brief keeps a list's reasons short: the same words are quoted once, and few of
// them.
func brief(reasons []suggestion.Explained) []suggestion.Explained {
	for i := range reasons {
		reasons[i].Demand, reasons[i].Supply = quoted(reasons[i].Demand), quoted(reasons[i].Supply)
	}
	return reasons
}

func quoted(spans []suggestion.Span) []suggestion.Span {
	var kept []suggestion.Span
	for _, s := range spans {
		same := func(k suggestion.Span) bool { return strings.EqualFold(k.Text, s.Text) }
		if len(s.Text) > maxQuote || slices.ContainsFunc(kept, same) {
			continue
		}
		if kept = append(kept, s); len(kept) == maxSpans {
			break
		}
	}
	return kept
}
