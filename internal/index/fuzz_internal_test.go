package index

import (
	"bytes"
	"testing"
	"time"

	"kobling/internal/profile"
	"kobling/internal/score"
)

// FuzzMark and FuzzMeta: what a damaged disk returns is read or refused, and what is
// read is what was written.
func FuzzMark(f *testing.F) {
	f.Add(Mark{Created: time.Unix(1, 2), Seq: 3, Time: time.Unix(4, 5), Hash: [32]byte{6}}.append(nil))
	f.Add(make([]byte, markSize))
	f.Add([]byte("mark"))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseMark(b)
		if err != nil {
			if !isDamage(err) {
				t.Errorf("parseMark = %v, want damage", err)
			}
			return
		}
		if again := m.append(nil); !bytes.Equal(again, b) {
			t.Errorf("%x is read as %+v and written as %x", b, m, again)
		}
	})
}

func FuzzMeta(f *testing.F) {
	f.Add(encodeMeta(7, score.Facts{Kind: profile.Need, Country: "DK", Langs: []string{"da"}}))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 1})
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, b []byte) {
		seq, facts, err := parseMeta(b)
		if err != nil {
			return
		}
		again, same, err := parseMeta(encodeMeta(seq, facts))
		if err != nil || again != seq || !bytes.Equal(same.AppendBinary(nil), facts.AppendBinary(nil)) {
			t.Errorf("%x is read as %d %+v and then as %d %+v, %v", b, seq, facts, again, same, err)
		}
	})
}
