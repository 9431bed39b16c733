package analysis

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"kobling/internal/lexicon"
	"kobling/internal/profile"
)

// small knows two concepts.
func small(tb testing.TB) *Analyzer {
	tb.Helper()
	l, err := lexicon.Parse(fstest.MapFS{"test.txt": {Data: []byte("[fall]\nen: fall detection\nda: falddetektion\n[als]\nen: ALS; care at home\n")}})
	if err != nil {
		tb.Fatal(err)
	}
	a, err := New(l)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// A service runs for months and reads words without end.
func TestRememberedWordsAreBounded(t *testing.T) {
	t.Parallel()
	a := small(t)
	s := a.scratch()
	shards := uint32(len(a.lexemes.shards))
	read, most := 0, 0
	shard := &a.lexemes.shards[0]
	for n := 0; read < 2*maxShard; n++ {
		word := fmt.Sprintf("w%x", n)
		if hash(word)%shards != 0 { // one shard tells of all
			continue
		}
		a.lexeme(s, langIndex("en"), &token{word: word})
		read++
		most = max(most, len(shard.known))
	}
	if most != maxShard {
		t.Errorf("a shard held %d words, want %d at most", most, maxShard)
	}
}

// Shards that start anew while others read them give the same features.
func TestForgottenWordsAreReadAgain(t *testing.T) {
	t.Parallel()
	a := small(t)
	texts := []profile.Text{{Lang: "en", Description: "Fall detection and care at home for people with ALS, als"}}
	want := fmt.Sprint(a.Weights(a.Features(texts)).Supply())
	var reading sync.WaitGroup
	for reader := range 4 {
		reading.Go(func() {
			for n := range 200 {
				var many strings.Builder
				for i := range 50 {
					fmt.Fprintf(&many, "x%dy%dz%d ", reader, n, i)
				}
				a.Features([]profile.Text{{Lang: "en", Description: many.String()}})
				for i := range a.lexemes.shards {
					shard := &a.lexemes.shards[i]
					shard.Lock()
					shard.known = nil
					shard.Unlock()
				}
				if got := fmt.Sprint(a.Weights(a.Features(texts)).Supply()); got != want {
					t.Errorf("features are %s, want %s", got, want)
					return
				}
			}
		})
	}
	reading.Wait()
}

// A function word in capitals is an abbreviation, whatever was read first.
func TestAFunctionWordInCapitalsIsAWord(t *testing.T) {
	t.Parallel()
	for _, words := range []string{"als ALS als", "ALS als ALS"} {
		var als []bool
		a := small(t)
		s := a.scratch()
		a.read(s, langIndex("nl"), tokenise(nil, words), func(m match) { als = append(als, m.means != nil) })
		if want := strings.Count(words, "ALS"); len(s.atoms) != want || len(als) != want {
			t.Errorf("%q has %d words and %d concepts, want %d", words, len(s.atoms), len(als), want)
		}
	}
}
