package api

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kobling/internal/suggestion"
)

// However rows are written, what a list takes can be sent, and it takes the first
// row and all that fit.
func TestAListTakesWhatOneMessageTakes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOf(rapid.String()).Draw(t, "rows")
		room := frame + rapid.IntRange(0, 200).Draw(t, "room")
		l := newList[string](room)
		for _, row := range rows {
			taken, err := l.add(row)
			if err != nil {
				t.Fatal(err)
			}
			if !taken {
				break
			}
		}
		size := func(rows []string) int {
			b, err := json.Marshal(struct {
				Items []string `json:"items"`
				Next  int      `json:"next"`
			}{rows, 1 << 60})
			if err != nil {
				t.Fatal(err)
			}
			return len(b)
		}
		n := len(l.rows)
		if n == 0 && len(rows) > 0 || n > 1 && size(l.rows) > room {
			t.Errorf("of %d rows %d are taken, %d bytes of %d", len(rows), n, size(l.rows), room)
		}
		if n < len(rows) && size(rows[:n+1]) <= room-frame {
			t.Errorf("%d rows of %d are taken, but one more has room", n, len(rows))
		}
	})
}

func TestAListQuotesTheSameWordsOnce(t *testing.T) {
	t.Parallel()
	spans := func(words ...string) []suggestion.Span {
		var list []suggestion.Span
		for i, w := range words {
			list = append(list, suggestion.Span{Lang: "en", Field: "title", Start: i, End: i + len(w), Text: w})
		}
		return list
	}
	for name, tt := range map[string]struct{ in, want []suggestion.Span }{
		"none":             {nil, nil},
		"the same again":   {spans("Fall", "fall", "FALL"), spans("Fall")},
		"many":             {spans("a", "b", "c", "d"), spans("a", "b", "c")},
		"too long to read": {spans(strings.Repeat(".", maxQuote+1)), nil},
	} {
		got := brief([]suggestion.Explained{{Demand: tt.in, Supply: tt.in}})[0]
		if d := cmp.Diff(tt.want, got.Demand); d != "" {
			t.Errorf("%s: demand (-want +got):\n%s", name, d)
		}
		if d := cmp.Diff(tt.want, got.Supply); d != "" {
			t.Errorf("%s: supply (-want +got):\n%s", name, d)
		}
	}
}
