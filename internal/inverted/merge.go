package inverted

import "slices"

// How blocks are merged.
const (
	// growth is how many times as many documents a block has as the next newer one
	// at least. With 3, 50,000 profiles lie in some seven blocks, and each is copied
	// some nine times on the way.
	growth = 3
	// atOnce is how many documents are merged by whoever makes a change: that takes
	// a few milliseconds. More are merged in the background.
	atOnce = 2048
	// maxBlock is how many documents a block may have, so that nothing in it
	// overflows 32 bits.
	maxBlock = 1 << 22
)

// tidy merges what is to be merged and makes parts visible. The caller holds mu.
func (x *Index) tidy(parts []part) {
	for {
		parts = slices.DeleteFunc(parts, func(p part) bool { return p.live == 0 && !x.busy(p) })
		i, n := x.next(parts)
		if n == 0 {
			break
		}
		due := parts[i : i+n]
		if live(due) > atOnce {
			x.mergeBehind(slices.Clone(due))
			continue
		}
		merged, _ := merge(due)
		parts = slices.Replace(parts, i, i+n, part{block: merged, live: merged.docs()})
	}
	x.parts.Store(&parts)
}

// next returns which parts to merge: n of them from i, none if n is 0. Newer ones
// come first. A block half of which is gone is copied alone if there is no other.
func (x *Index) next(parts []part) (i, n int) {
	for i, p := range slices.Backward(parts) {
		if x.busy(p) {
			continue
		}
		if i > 0 && !x.busy(parts[i-1]) && parts[i-1].live < growth*p.live && live(parts[i-1:i+1]) <= maxBlock {
			if x.wait(parts[i-1 : i+1]) {
				continue
			}
			return i - 1, 2
		}
		if p.docs() > 2*p.live && p.docs() > 64 && !x.wait(parts[i:i+1]) {
			return i, 1
		}
	}
	return 0, 0
}

// wait reports whether parts are too many to be merged now: one merge runs in the
// background.
func (x *Index) wait(parts []part) bool { return len(x.merging) > 0 && live(parts) > atOnce }

func (x *Index) busy(p part) bool { return slices.Contains(x.merging, p.block) }

func live(parts []part) (n int) {
	for _, p := range parts {
		n += p.live
	}
	return n
}

// mergeBehind merges parts, which follow each other, in the background. The
// caller holds mu.
func (x *Index) mergeBehind(due []part) {
	for _, p := range due {
		x.merging = append(x.merging, p.block)
	}
	x.behind.Go(func() {
		merged, moved := merge(due)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.merging = nil
		parts := slices.Clone(*x.parts.Load())
		at := slices.IndexFunc(parts, func(p part) bool { return p.block == due[0].block })
		p := part{block: merged, live: merged.docs()}
		for i, before := range due {
			p = p.after(parts[at+i].gone, before.gone, moved[i])
		}
		x.tidy(slices.Replace(parts, at, at+len(due), p))
	})
}

// after returns p without what went while it was made: what is in now and was not
// before, with the numbers that moved says.
func (p part) after(now, before bitmap, moved []uint32) part {
	if len(now) == 0 {
		return p
	}
	for doc, to := range moved {
		if doc := uint32(doc); now.has(doc) && !before.has(doc) {
			if p.gone == nil {
				p.gone = bitmap(nil).copy(p.docs())
			}
			p.gone.set(to)
			p.live--
		}
	}
	return p
}

// merge makes one block of what is there of parts, and returns which number each
// document of each part has in it.
func merge(parts []part) (*block, [][]uint32) {
	var terms, ids namer
	var counts []uint32
	ids.grow(live(parts))
	out := new(block)
	moved, renamed := make([][]uint32, len(parts)), make([][]uint32, len(parts))
	for i, p := range parts {
		if i == 0 {
			terms.grow(p.terms.len())
		}
		moved[i] = p.moveInto(out, &ids)
		renamed[i], counts = p.count(&terms, counts)
	}
	var next []uint32
	out.starts, next = starts(counts)
	out.numbers = make([]uint32, out.starts[len(counts)])
	out.weights = make([]uint16, len(out.numbers))
	for i, p := range parts {
		p.copyInto(out, moved[i], renamed[i], next)
	}
	out.terms, out.ids = terms.names(), ids.names()
	return out, moved
}

// moveInto appends the documents of p and returns their new numbers.
func (p part) moveInto(out *block, ids *namer) []uint32 {
	moved := make([]uint32, p.docs())
	for doc := range uint32(p.docs()) { //nolint:gosec // see maxBlock
		if !p.gone.has(doc) {
			moved[doc] = ids.number(p.ids.get(doc), p.ids.hashes[doc])
			out.metas = append(out.metas, p.meta(doc)...)
			out.ends = append(out.ends, uint32(len(out.metas))) //nolint:gosec // see maxBlock
		}
	}
	return moved
}

// noTerm is the new number of a term that nothing has any more.
const noTerm = ^uint32(0)

// count numbers the terms of p that something has still, and counts their
// postings.
func (p part) count(terms *namer, counts []uint32) (renamed, _ []uint32) {
	renamed = make([]uint32, p.terms.len())
	for t := range uint32(p.terms.len()) { //nolint:gosec // see maxBlock
		n := uint32(0)
		if p.gone == nil {
			n = p.starts[t+1] - p.starts[t]
		} else {
			for _, doc := range p.of(t).docs {
				if !p.gone.has(doc) {
					n++
				}
			}
		}
		if n == 0 {
			renamed[t] = noTerm
			continue
		}
		i := terms.number(p.terms.get(t), p.terms.hashes[t])
		if int(i) == len(counts) {
			counts = append(counts, 0)
		}
		counts[i] += n
		renamed[t] = i
	}
	return renamed, counts
}

// copyInto copies the postings of p to where next says for each term.
func (p part) copyInto(out *block, moved, renamed, next []uint32) {
	for t, i := range renamed {
		if i == noTerm {
			continue
		}
		list := p.of(uint32(t))
		at := next[i]
		for j, doc := range list.docs {
			if !p.gone.has(doc) {
				out.numbers[at], out.weights[at] = moved[doc], list.weights[j]
				at++
			}
		}
		next[i] = at
	}
}
