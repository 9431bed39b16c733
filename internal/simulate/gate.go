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
	declined := d.declined && d.demand == demand && d.supply == supply
	return valid(demand) && valid(supply) && (demand.cluster == supply.cluster || t.network) && !declined
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
