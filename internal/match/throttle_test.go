package match_test

import (
	"testing"
	"testing/synctest"
	"time"

	"kobling/internal/match"
)

// spend lets d pass.
func spend(d time.Duration) { <-time.After(d) }

func TestARematchYieldsToLiveWorkButNotForEver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		th := match.NewThrottle(0.75)
		yielded := func() time.Duration {
			began := time.Now()
			th.Yield(t.Context())
			return time.Since(began)
		}
		if d := yielded(); d != 0 {
			t.Errorf("with no live work it waited %s", d)
		}
		end := th.Live()
		other := th.Live() // of another stage
		time.AfterFunc(20*time.Millisecond, end)
		time.AfterFunc(30*time.Millisecond, other)
		if d := yielded(); d != 30*time.Millisecond {
			t.Errorf("it waited %s for work of 30ms", d)
		}
		end = th.Live()
		if d := yielded(); d != 100*time.Millisecond {
			t.Errorf("it waited %s for work without end", d)
		}
		end()
		if d := yielded(); d != 0 {
			t.Errorf("after live work it waited %s", d)
		}
	})
}

func TestARematchTakesItsShareWhileLiveWorkIsThere(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, tt := range []struct {
		name  string
		share float64
		live  time.Duration // live work during the batch of 300 ms
		pause time.Duration // since the last live work, before the batch; 0: there was none
		rest  time.Duration
	}{
		{"none lately", 0.75, 0, 0, 0},
		{"some during the batch", 0.75, 60 * ms, 0, 80 * ms}, // it worked 240 ms, three quarters of 320
		{"half a second before", 0.75, 0, 500 * ms, 100 * ms},
		{"long before", 0.75, 0, 2 * time.Second, 0},
		{"a small share", 0.25, 0, 500 * ms, 900 * ms},
		{"all of the time", 1, 60 * ms, 0, 0},
		{"next to nothing", 0.0001, 0, 500 * ms, 10 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				th := match.NewThrottle(tt.share)
				if tt.pause > 0 {
					th.Live()()
					spend(tt.pause)
				}
				end := th.Work()
				if tt.live > 0 {
					live := th.Live()
					spend(tt.live)
					live()
				}
				spend(300*ms - tt.live)
				end()
				began := time.Now()
				if d := th.Rest(t.Context()); d != tt.rest || time.Since(began) != tt.rest {
					t.Errorf("it rested %s in %s, want %s", d, time.Since(began), tt.rest)
				}
				if d := th.Rest(t.Context()); d != 0 {
					t.Errorf("it rested twice: %s", d)
				}
			})
		})
	}
}
