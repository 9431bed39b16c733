package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/alert"
	"kobling/internal/profile"
)

// TestTwinsAreToldOnceInFull has one advisor. What is open is told in the order
// opposite to that in which it was decided on: nothing depends on it.
func TestTwinsAreToldOnceInFull(t *testing.T) {
	t.Parallel()
	a := []any{head(needA, 1), head(offer, 2), with(needA, 1, 2)}
	b := []any{head(needB, 3), with(needB, 3, 2), twins(needA, 1, needB, 3)}
	for _, tt := range []struct {
		name string
		do   func(l *ledger) []string
		want []string
	}{
		{
			name: "the first is told before the second comes",
			do: func(l *ledger) []string {
				l.commit(a...)
				told := l.tellAll()
				l.commit(b...)
				return append(told, l.tellAll()...)
			},
			want: []string{"a in full", "b also a"},
		},
		{
			name: "the other order of arrival",
			do: func(l *ledger) []string {
				l.commit(head(needB, 1), head(offer, 2), with(needB, 1, 2))
				l.commit(head(needA, 3), with(needA, 3, 2), twins(needA, 3, needB, 1))
				return l.tellAll()
			},
			want: []string{"b in full", "a also b"},
		},
		{
			name: "both in one batch",
			do: func(l *ledger) []string {
				l.commit(append(a, b...)...)
				return l.tellAll()
			},
			want: []string{"a in full", "b also a"},
		},
		{
			name: "the counterpart comes last",
			do: func(l *ledger) []string {
				l.commit(head(needA, 1), head(needB, 2), twins(needA, 1, needB, 2))
				l.commit(head(offer, 3), with(needA, 1, 3), with(needB, 2, 3))
				return l.tellAll()
			},
			want: []string{"a in full", "b also a"},
		},
		{
			name: "delivered again",
			do: func(l *ledger) []string {
				l.commit(a...)
				l.commit(b...)
				told := l.tellAll()
				l.commit(b...)
				l.commit(append(b, a...)...)
				return append(told, l.tellAll()...)
			},
			want: []string{"a in full", "b also a"},
		},
		{
			name: "never chained: c is like b, and b was not told in full",
			do: func(l *ledger) []string {
				l.commit(a...)
				l.commit(b...)
				l.commit(head(needC, 4), with(needC, 4, 2), twins(needB, 3, needC, 4))
				return l.tellAll()
			},
			want: []string{"c in full", "a in full", "b also a"},
		},
		{
			name: "never chained within a batch",
			do: func(l *ledger) []string {
				l.commit(append(append(a, b...), head(needC, 4), with(needC, 4, 2), twins(needB, 3, needC, 4))...)
				return l.tellAll()
			},
			want: []string{"c in full", "a in full", "b also a"},
		},
		{
			name: "of several it is like, the one that was told in full",
			do: func(l *ledger) []string {
				l.commit(a...)
				l.commit(b...)
				l.commit(head(needD, 4), with(needD, 4, 2))
				l.commit(head(needC, 5), with(needC, 5, 2), twins(needB, 3, needC, 5), twins(needC, 5, needD, 4))
				return l.tellAll()
			},
			want: []string{"d in full", "c also d", "a in full", "b also a"},
		},
		{
			name: "three alike",
			do: func(l *ledger) []string {
				l.commit(append(append(a, b...), head(needC, 4), with(needC, 4, 2), twins(needB, 3, needC, 4), twins(needA, 1, needC, 4))...)
				return l.tellAll()
			},
			want: []string{"a in full", "c also a", "b also a"},
		},
		{
			name: "the first is withdrawn before either is told",
			do: func(l *ledger) []string {
				l.commit(a...)
				l.commit(b...)
				l.must(l.Retire(l.t.Context(), needA, 9))
				return l.tellAll()
			},
			want: []string{"b in full", "a not"},
		},
		{
			name: "the first is withdrawn after it was told",
			do: func(l *ledger) []string {
				l.commit(a...)
				told := l.tellAll()
				l.commit(b...)
				l.must(l.Retire(l.t.Context(), needA, 9))
				return append(told, l.tellAll()...)
			},
			want: []string{"a in full", "b in full"},
		},
		{
			name: "who comes back is the second then",
			do: func(l *ledger) []string {
				l.commit(a...)
				l.commit(b...)
				l.must(l.Retire(l.t.Context(), needA, 8))
				told := l.tellAll()
				l.commit(head(needA, 9), with(needA, 9, 2), twins(needA, 9, needB, 3))
				return append(told, l.tellAll()...)
			},
			want: []string{"b in full", "a not", "a also b"},
		},
		{
			name: "a revision is no duplicate any more",
			do: func(l *ledger) []string {
				l.commit(a...)
				l.commit(b...)
				l.commit(head(needB, 4), with(needB, 4, 2))
				return l.tellAll()
			},
			want: []string{"b in full", "a in full"},
		},
		{
			name: "a revision is one still",
			do: func(l *ledger) []string {
				l.commit(a...)
				l.commit(b...)
				l.commit(head(needB, 4), with(needB, 4, 2), twins(needA, 1, needB, 4))
				return l.tellAll()
			},
			want: []string{"a in full", "b also a"},
		},
		{
			name: "the first could not be told",
			do: func(l *ledger) []string {
				l.commit(a...)
				_, _, err := l.Start(l.t.Context(), l.oldest())
				l.must(err)
				l.commit(b...)
				first := l.attempt(l.open(true)[0])
				l.must(l.Finish(l.t.Context(), l.oldest(), alert.Failed, "no such mailbox"))
				return append([]string{first}, l.tellAll()...)
			},
			want: []string{"b waits", "b in full"},
		},
		{
			name: "fewer may see the first",
			do: func(l *ledger) []string {
				private := edit(func(p *profile.Profile) { p.Visibility = profile.VisiblePrivate })
				l.commit(a...)
				told := l.tellAll()
				l.commit(head(needA, 5, private))
				l.commit(head(needB, 6), with(needB, 6, 2), twins(needA, 5, needB, 6))
				return append(told, l.tellAll()...)
			},
			want: []string{"a in full", "b in full"},
		},
		{
			name: "the first has ended",
			do: func(l *ledger) []string {
				l.commit(a...)
				told := l.tellAll()
				l.commit(b...)
				l.exec(`UPDATE profile SET valid_until = clock_timestamp() WHERE id = $1`, string(needA))
				return append(told, l.tellAll()...)
			},
			want: []string{"a in full", "b in full"},
		},
		{
			name: "a decline of the first is no reason to tell all again",
			do: func(l *ledger) []string {
				l.commit(a...)
				told := l.tellAll()
				l.decline(needA, offer)
				l.commit(b...)
				return append(told, l.tellAll()...)
			},
			want: []string{"a in full", "b also a"},
		},
		{
			name: "a higher band of the second",
			do: func(l *ledger) []string {
				l.commit(a...)
				l.commit(b...)
				told := l.tellAll()
				l.commit(head(needB, 4), with(needB, 4, 2, strong), twins(needA, 1, needB, 4))
				return append(told, l.tellAll()...)
			},
			want: []string{"a in full", "b also a", "b also a"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := open(t)
			l.subscribe()
			if diff := cmp.Diff(tt.want, tt.do(l)); diff != "" {
				t.Errorf("told (-want +got):\n%s", diff)
			}
		})
	}
}
