package simulate

// theme is what a run is about. Races are rare where everything happens at
// random, so most runs have much of one thing and little of the rest.
type theme int

const (
	mixed   theme = iota
	gates         // the gate opens and closes, deliveries are slow and fail
	epochal       // epochs change under way
	burst         // everybody publishes once or twice at the same time, little else
	crowded       // two profiles, many revisions
	themes
)

// action is what the operator does.
type action int

const (
	changeNetwork action = iota
	decide
	subscribe
	switchEpoch
	sweep
)

// roughen chooses how often things go wrong in this run.
func (w *world) roughen() {
	w.theme = theme(w.rng.IntN(int(themes)))
	w.loseAck = w.choose(4, 10, 1000)
	w.crashes = w.choose(50, 200, 2000)
	w.stalls = w.choose(8, 30, 100, 1000)
	w.redeliveries = w.choose(10, 40, 200)
	w.restarts = w.choose(100, 300, 3000)
	w.ticks = w.choose(10, 30, 100)
	w.retries = w.choose(2, 10)
	w.publishGap, w.actionGap = w.choose(4, 20, 60), w.choose(4, 20, 60)
	switch w.theme {
	case gates:
		w.publishGap, w.actionGap, w.retries, w.backoff = 10, w.choose(10, 60), 2, 200
		w.opening = w.choose(0, 100) // while publishing, or after
	case burst:
		w.publishGap = 3
	case crowded:
		w.publishGap = w.choose(10, 30)
	case mixed, epochal, themes:
	}
	w.backoff = w.choose(1, 30, 200)
	w.ranked = w.rng.IntN(2) == 0
	w.swaps = w.choose(5, 20, 60)
}

// choose returns one of n.
func (w *world) choose(n ...int) int { return n[w.rng.IntN(len(n))] }

// plot decides what outsiders will do.
func (w *world) plot() {
	for e := range w.bands {
		for d := range w.bands[e] {
			for s := range w.bands[e][d] {
				w.bands[e][d][s] = w.choose(0, 1, 1, 2)
				if e > 0 && w.rng.IntN(2) == 0 {
					w.bands[e][d][s] = w.bands[e-1][d][s]
				}
			}
		}
	}
	events, actions := 8+w.rng.IntN(16), w.rng.IntN(5)+w.rng.IntN(2)*w.rng.IntN(16)
	do := []action{changeNetwork, changeNetwork, decide, decide, subscribe, subscribe, switchEpoch, sweep}
	switch w.theme {
	case gates:
		events, actions = 5+w.rng.IntN(6), 2+w.rng.IntN(6)
		do = []action{changeNetwork, changeNetwork, changeNetwork, decide}
	case epochal:
		do = []action{switchEpoch, switchEpoch, sweep}
		actions = 1 + w.rng.IntN(4)
	case burst:
		events, actions = 5+w.rng.IntN(4), w.rng.IntN(3)
		do = []action{subscribe}
	case crowded:
		actions = w.rng.IntN(3)
	case mixed, themes:
	}
	for i := range events {
		w.script = append(w.script, w.plotEvent(i))
	}
	for range actions {
		w.operations = append(w.operations, do[w.rng.IntN(len(do))])
	}
}

// plotEvent decides the nth thing that a producer will say.
func (w *world) plotEvent(n int) event {
	e := event{profile: w.rng.IntN(profiles), quiet: w.rng.IntN(10) == 0}
	switch w.theme { //nolint:exhaustive // the others choose at random
	case burst, gates:
		e.profile = n % profiles
	case crowded:
		e.profile = w.choose(0, demands)
	}
	switch n := w.rng.IntN(20); {
	case n < 12 || w.theme != mixed && w.theme != epochal:
		e.content = content{text: w.rng.IntN(texts), cluster: w.rng.IntN(2)}
		if w.theme == gates {
			e.content.cluster = min(1, e.profile/demands)
		}
		if w.rng.IntN(5) == 0 {
			e.content.from = w.rng.IntN(20)
		}
		if w.rng.IntN(5) == 0 && w.theme == mixed {
			e.content.until = e.content.from + 1 + w.rng.IntN(20)
		}
	case n < 14:
		e.op = pause
	case n < 18:
		e.op = resume
	case n < 19:
		e.op = renew
	default:
		e.op = withdraw
	}
	return e
}
