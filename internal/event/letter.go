package event

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// DeadLetter is a message that broke its handler every time, kept whole for an
// operator.
type DeadLetter struct {
	Message // Sequence is that of its stream; Time and Attempt are not kept

	Reason string
	At     time.Time // when it was given up
}

// ID names the letter: "<subject>@<sequence>".
func (l DeadLetter) ID() string { return LetterID(l.Subject, l.Sequence) }

// LetterID names the dead letter of a message.
func LetterID(subject string, seq uint64) string { return subject + "@" + strconv.FormatUint(seq, 10) }

// ParseLetterID reads what [LetterID] wrote.
func ParseLetterID(s string) (subject string, seq uint64, err error) {
	i := strings.LastIndexByte(s, '@')
	if i > 0 {
		seq, err = strconv.ParseUint(s[i+1:], 10, 63) // as the database keeps it
	}
	if i <= 0 || err != nil || seq == 0 {
		return "", 0, fmt.Errorf("dead letter %q: want <subject>@<sequence>", s)
	}
	return s[:i], seq, nil
}
