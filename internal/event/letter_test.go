package event_test

import (
	"testing"

	"kobling/internal/event"
)

func TestLetterIDs(t *testing.T) {
	t.Parallel()
	for id, ok := range map[string]bool{
		"profiles.need.a.b@17": true, "intake.x@y@1": true,
		"": false, "@1": false, "a@": false, "a@0": false, "a@-1": false, "a@x": false, "a": false, "a@9223372036854775808": false,
	} {
		subject, seq, err := event.ParseLetterID(id)
		if (err == nil) != ok {
			t.Errorf("%q: %v", id, err)
		}
		if ok && event.LetterID(subject, seq) != id {
			t.Errorf("%q is read as %q, %d", id, subject, seq)
		}
	}
}

func FuzzParseLetterID(f *testing.F) {
	f.Add("profiles.need.a.b@17")
	f.Add("@@1")
	f.Add("x@+1")
	f.Add("x@01")
	f.Fuzz(func(t *testing.T, id string) {
		subject, seq, err := event.ParseLetterID(id)
		if err != nil {
			return
		}
		again, same, err := event.ParseLetterID(event.LetterID(subject, seq))
		if err != nil || again != subject || same != seq || subject == "" || seq == 0 {
			t.Errorf("%q is read as %q, %d and then as %q, %d, %v", id, subject, seq, again, same, err)
		}
	})
}
