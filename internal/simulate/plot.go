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
	orders        // two profiles are paused, resumed and withdrawn at once
	waiting       // profiles that are valid later
	twins         // near-duplicates that come and go while they are told
	themes
)

// action is what the operator does.
type action int

const (
	changeNetwork action = iota
	decide
	subscribe
	unsubscribe
	switchEpoch
	sweep
	rematchAgain
)

// roughen chooses how often things go wrong in this run.
func (w *world) roughen() {
	w.loseAck = w.choose(4, 10, 1000)
	w.crashes = w.choose(50, 200, 2000)
	w.stalls = w.choose(8, 30, 100, 1000)
	w.slowCommits, w.commitGap = w.choose(3, 20, 1000), w.choose(60, 200)
	w.redeliveries = w.choose(10, 40, 200)
	w.restarts = w.choose(100, 300, 3000)
	w.ticks = w.choose(10, 30, 100)
	w.retries = w.choose(2, 10)
	if w.theme != epochal && w.rng.IntN(3) != 0 {
		// What is done twice often heals what went wrong the first time.
		w.loseAck, w.crashes, w.redeliveries, w.restarts = 1000, 2000, 2000, 3000
	}
	w.backoff = w.choose(1, 30, 200)
	w.linger = w.choose(2, 20)
	w.publishGap, w.actionGap = w.choose(4, 20, 60), w.choose(4, 20, 60)
	switch w.theme {
	case gates:
		w.publishGap, w.actionGap, w.retries = 10, w.choose(10, 30, 100), 2
		w.slowCommits, w.commitGap = 3, 200
		w.opening = w.choose(0, 0, 100) // while publishing, or after
	case burst:
		w.publishGap = 3
	case orders:
		w.publishGap = w.choose(1, 3)
	case crowded:
		w.publishGap = w.choose(4, 10, 30)
	case waiting:
		w.publishGap, w.ticks = w.choose(4, 20), w.choose(10, 20, 40)
	case twins:
		w.publishGap, w.actionGap, w.retries = w.choose(4, 20, 60), w.choose(10, 30), w.choose(2, 4)
	case mixed, epochal, themes:
	}
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
	for e := range w.alike {
		for x := range texts {
			for y := range x + 1 {
				same := x == y || w.rng.IntN(2) == 0
				w.alike[e][x][y], w.alike[e][y][x] = same, same
			}
		}
	}
	events, actions := 8+w.rng.IntN(16), w.rng.IntN(5)+w.rng.IntN(2)*w.rng.IntN(16)
	do := []action{changeNetwork, changeNetwork, decide, decide, subscribe, subscribe, unsubscribe, switchEpoch, sweep}
	switch w.theme {
	case gates:
		events, actions = profiles+w.rng.IntN(3), 1+w.rng.IntN(2)*w.rng.IntN(8)
		do = []action{changeNetwork, changeNetwork, changeNetwork, decide, unsubscribe}
		if w.db.committed.network = actions > 1; actions == 1 { // once, at any time
			do, w.actionGap, w.opening = do[:1], 200, 0
		}
	case epochal:
		events, actions = 4+w.rng.IntN(12), 1+w.rng.IntN(4)
		do = []action{switchEpoch, switchEpoch, sweep, rematchAgain, rematchAgain}
	case burst:
		events, actions = 5+w.rng.IntN(4), w.rng.IntN(3)
		do = []action{subscribe}
	case crowded:
		events, actions = 3+w.rng.IntN(w.choose(4, 16)), w.rng.IntN(3)
	case orders:
		events, actions = 3+w.rng.IntN(5), w.rng.IntN(3)
		do = []action{switchEpoch, sweep}
	case waiting:
		events, actions = 4+w.rng.IntN(4), w.rng.IntN(2)
	case twins:
		events, actions = profiles+w.rng.IntN(8), w.rng.IntN(3)
		do = []action{decide, subscribe, switchEpoch, sweep}
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
	commands := 0 // of 10 things said
	e.content = content{text: w.rng.IntN(texts), cluster: w.rng.IntN(2)}
	switch w.theme {
	case gates:
		e.profile = n % profiles
		e.content.cluster = min(1, e.profile/demands)
	case burst:
		e.profile = n % profiles
	case crowded:
		e.profile = w.choose(0, demands)
	case orders:
		e.profile = w.choose(0, 0, 0, 0, demands)
		if n > 0 {
			commands = 9
		}
	case mixed, epochal:
		commands = 4
	case twins:
		e.content.cluster = 0
		if n < profiles {
			e.profile = n
		} else {
			commands = 5
		}
	case waiting, themes:
	}
	if w.rng.IntN(10) < commands {
		e.content = content{}
		e.op = operation(w.choose(int(pause), int(pause), int(resume), int(resume), int(resume), int(renew), int(withdraw)))
		if w.theme == orders && w.rng.IntN(4) != 0 {
			e.op = pause + operation((n+1)%2)
		}
		return e
	}
	switch {
	case w.theme == waiting:
		e.content.from = w.rng.IntN(2) * w.rng.IntN(30)
	case w.rng.IntN(5) == 0:
		e.content.from = w.rng.IntN(20)
	}
	if w.rng.IntN(5) == 0 && w.theme == mixed {
		e.content.until = e.content.from + 1 + w.rng.IntN(20)
	}
	return e
}
