package simulate

// pairOf returns the pair of a demand and a supply, both as profiles.
func pairOf(demand, supply int) int { return demand*supplies + supply - demands }

// sidesOf returns the two profiles of a pair.
func sidesOf(pair int) (demand, supply int) { return pair / supplies, demands + pair%supplies }

// noteID returns the notification with the dedup key (subscription, pair, band).
func noteID(subscription, pair, band int) int { return (subscription*pairs+pair)*2 + band - 1 }

// noteKey is the reverse of [noteID].
func noteKey(id int) (subscription, pair, band int) {
	return id / 2 / pairs, id / 2 % pairs, id%2 + 1
}

// predicate is the band of two texts in an epoch: 0 is no suggestion. It knows
// nothing else.
func (w *world) predicate(epoch, demand, supply int) int {
	return w.bands[epoch-1][demand][supply]
}

// live is view suggestion_live for one pair: its band, 0 if it is not live.
func (w *world) live(t *tables, pair, tick int) int {
	d, s := sidesOf(pair)
	demand, supply, r := &t.heads[d], &t.heads[s], &t.rows[pair]
	if r.demandSeq == 0 || !demand.alive || !supply.alive {
		return 0
	}
	if w.variant != PlainUpsert &&
		(r.demandSeq != demand.seq || r.supplySeq != supply.seq || r.epoch != max(demand.epoch, supply.epoch)) {
		return 0
	}
	if !w.gate(t, pair, demand.content, supply.content, tick) {
		return 0
	}
	return r.band
}

// gate is the part of the gate that no message changes: validity, visibility
// and decisions.
func (w *world) gate(t *tables, pair int, demand, supply content, tick int) bool {
	valid := func(c content) bool { return c.from <= tick && (c.until == 0 || tick < c.until) }
	d := t.decisions[pair]
	return valid(demand) && valid(supply) &&
		(demand.cluster == supply.cluster || t.network) &&
		(!d.declined || d.demand != demand || d.supply != supply)
}

// told says what tell concerns.
type told func(pair int) bool

// tell is the notification statement of a match transaction and of the gate
// jobs: what is live and news becomes a notification for everyone subscribed.
func (w *world) tell(t *transaction, concerns told) {
	if w.variant != TellUnlocked {
		// An attempt that is about to hold a notification must be waited for:
		// it asked the gate before us.
		t.statement("lock what is being told")
		for id := range notes {
			_, pair, _ := noteKey(id)
			if s := t.view.notes[id]; concerns(pair) && (s == pending || s == sending) {
				t.lock(keyNote + key(id))
			}
		}
	}
	t.statement("remember what is live")
	for pair := range pairs {
		if concerns(pair) && t.view.firstLive[pair] == 0 && w.live(&t.view, pair, w.gateTick(t)) != 0 {
			t.lock(keyPair + key(pair))
			t.view.firstLive[pair] = t.at.moment
			t.wrote(keyPair + key(pair))
		}
	}
	t.statement("tell")
	w.insertNotes(t, &t.view, concerns)
}

// gateTick is the time at which a transaction asks the gate.
func (w *world) gateTick(t *transaction) int {
	if w.variant == TransactionClock {
		return t.began.tick
	}
	return t.at.tick
}

// insertNotes selects from snapshot and writes to t.
func (w *world) insertNotes(t *transaction, snapshot *tables, concerns told) {
	var wanted [notes]bool
	for pair := range pairs {
		if !concerns(pair) || snapshot.firstLive[pair] == 0 {
			continue
		}
		band := w.live(snapshot, pair, w.gateTick(t))
		if band == 0 || !w.news(snapshot, pair) {
			continue
		}
		d, s := sidesOf(pair)
		for sub := range subscriptions {
			u := snapshot.subscriptions[sub]
			if u.createdAt == 0 || u.createdAt >= snapshot.firstLive[pair] ||
				u.cluster != snapshot.heads[d].content.cluster && u.cluster != snapshot.heads[s].content.cluster {
				continue
			}
			blocked := false
			for b := band; b <= 2 && w.variant != TellEveryBand; b++ {
				n := snapshot.notes[noteID(sub, pair, b)]
				blocked = blocked || n != absent && n != held
			}
			wanted[noteID(sub, pair, band)] = !blocked
		}
	}
	for id, want := range wanted {
		if !want {
			continue
		}
		t.lock(keyNote + key(id))
		if n := t.view.notes[id]; n == absent || n == held {
			t.view.notes[id] = pending
			t.wrote(keyNote + key(id))
			t.jobs = append(t.jobs, job{kind: deliver, arg: id, after: w.steps + w.rng.IntN(w.backoff)})
			w.watchTold(t, id)
		}
	}
}

// news reports whether the pair's row is worth telling.
func (w *world) news(t *tables, pair int) bool {
	d, s := sidesOf(pair)
	r := &t.rows[pair]
	if r.rematch && w.variant != RematchTells {
		return false
	}
	if r.demandSeq > r.supplySeq {
		return !t.heads[d].quiet
	}
	return !t.heads[s].quiet
}
