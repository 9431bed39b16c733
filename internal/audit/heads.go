package audit

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"time"

	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// revision is the newest message of a profile.
type revision struct {
	id        profile.ID
	seq       uint64
	intakeSeq uint64
	revision  uint64
	status    profile.Status
	quiet     bool
	unread    bool // it cannot be decoded
	body      [32]byte
	facts     score.Facts // of a published one

	*side // of a published one, for the oracle
}

// side is what the oracle needs of one side of a pair.
type side struct {
	features              []feature
	cluster, org, entity  string
	visibility            profile.Visibility
	validFrom, validUntil time.Time
	digest                string
}

// head is what is kept of a row of table profile.
type head struct {
	seq, intakeSeq, revision uint64
	epoch                    int
	alive, quiet             bool
	quarantined              bool
	status                   profile.Status
	body                     [32]byte
}

// database is what is kept of a view.
type database struct {
	heads     map[profile.ID]head
	anomalies []Anomaly
	gate      gate
	live      []suggestion.Pair
}

// read reads what is needed of the view.
func (r *run) read(ctx context.Context, v View, oracle bool, db *database) (err error) {
	r.report.At = v.At().UTC()
	db.heads = map[profile.ID]head{}
	err = v.Heads(ctx, func(h Head) error {
		kept := head{
			seq: h.Seq, intakeSeq: h.IntakeSeq, revision: h.Revision, epoch: h.Epoch,
			alive: h.Alive, quiet: h.Quiet, quarantined: h.Quarantined, status: h.Status,
		}
		if h.Raw != nil {
			var p profile.Profile
			if json.Unmarshal(h.Raw, &p) == nil { // else the hash stays 0, and differs
				kept.body = bodyOf(&p)
			}
		}
		db.heads[h.ID] = kept
		r.progress("Reading the database", len(db.heads), 0)
		return nil
	})
	if err != nil {
		return err
	}
	r.report.Checked.Heads = len(db.heads)
	if db.anomalies, err = v.Anomalies(ctx); err != nil || !oracle {
		return err
	}
	db.gate.at = v.At()
	if db.gate.entities, err = v.LegalEntities(ctx); err != nil {
		return err
	}
	if db.gate.networks, err = v.Networks(ctx); err != nil {
		return err
	}
	db.gate.declined = map[[2]profile.ID][2]string{}
	err = v.Declined(ctx, func(demand, supply profile.ID, demandDigest, supplyDigest []byte) error {
		db.gate.declined[[2]profile.ID{demand, supply}] = [2]string{string(demandDigest), string(supplyDigest)}
		return nil
	})
	if err != nil {
		return err
	}
	return v.Live(ctx, func(p suggestion.Pair) error {
		db.live = append(db.live, p)
		r.progress("Reading suggestions", len(db.live), 0)
		return nil
	})
}

// bodyOf identifies what a body says, however it is written down.
func bodyOf(p *profile.Profile) [32]byte {
	b, err := json.Marshal(p)
	if err != nil { // no profile that was read from JSON
		return [32]byte{}
	}
	return sha256.Sum256(b)
}

// walk reads PROFILES up to where it ends now.
func (r *run) walk(ctx context.Context, oracle bool) error {
	extent, err := r.Log.Extent(ctx, profileStream)
	if err != nil {
		return err
	}
	r.walked = extent.LastSeq
	r.newest = make(map[profile.ID]*revision, extent.Messages)
	terms := map[string]uint32{}
	err = r.Log.Walk(ctx, profileStream, 1, r.walked, func(m event.Message) error {
		id, err := event.SubjectID(m.Subject)
		if err != nil {
			return nil //nolint:nilerr // it names no profile, and nothing else knows of it
		}
		n, err := r.revision(id, m, oracle, terms)
		if err != nil {
			return err
		}
		r.newest[id] = n
		r.progress("Reading profiles", len(r.newest), int(extent.Messages)) //nolint:gosec // a count
		return nil
	})
	r.report.Checked.Messages = len(r.newest)
	return err
}

// revision reads a message.
func (r *run) revision(id profile.ID, m event.Message, oracle bool, terms map[string]uint32) (*revision, error) {
	n := &revision{id: id, seq: m.Sequence}
	rev, err := event.DecodeRevision(m)
	if err != nil {
		n.unread = true
		return n, nil //nolint:nilerr // whoever handles it must have kept it
	}
	n.intakeSeq, n.revision, n.status, n.quiet = rev.IntakeSeq, rev.Revision, rev.Status, rev.Quiet
	if rev.Profile == nil {
		return n, nil
	}
	n.body = bodyOf(rev.Profile)
	if rev.Status != profile.Published {
		return n, nil
	}
	n.facts = score.FactsOf(rev.Profile)
	if !oracle {
		return n, nil
	}
	n.side, err = r.sideOf(rev.Profile, terms)
	return n, err
}

// compareHeads compares the heads with PROFILES.
func (r *run) compareHeads(db *database, before Extent) {
	settled := before.Settled[matchConsumer]
	r.waiting = map[profile.ID]bool{}
	var missing, behind, differs, unkept, lost tally
	for id, n := range r.newest {
		h, ok := db.heads[id]
		switch {
		case ok && h.seq > n.seq:
			lost.add("%s at %d, %s has it at %d", id, h.seq, profileStream, n.seq)
		case n.seq > settled && (!ok || h.seq < n.seq || !r.agree(n, h)):
			r.waiting[id] = true
		case !ok && n.unread, ok && n.unread && (h.seq < n.seq || !h.quarantined):
			unkept.add("%s at %d", id, n.seq)
		case !ok:
			missing.add("%s at %d", id, n.seq)
		case h.seq < n.seq:
			behind.add("%s at %d, %s has it at %d", id, h.seq, profileStream, n.seq)
		case !r.agree(n, h):
			differs.add("%s at %d", id, n.seq)
		}
	}
	var gone tally
	for id, h := range db.heads {
		if _, ok := r.newest[id]; !ok {
			gone.add("%s at %d", id, h.seq)
		}
	}
	r.report.Checked.Waiting = len(r.waiting)
	r.found(gone, "profile_lost", "profiles of the database are not in "+profileStream+": the stream lost data", mendStream)
	r.found(lost, "revision_lost", "the database has later revisions than "+profileStream+": the stream lost data", mendStream)
	r.found(missing, "head_missing", "profiles of "+profileStream+" were settled and are not in the database: it lost data, or is older than the stream", mendHeads)
	r.found(behind, "head_behind", "later revisions were settled than the database has: it lost data, or is older than the stream", mendHeads)
	r.found(differs, "head_differs", "the database says something else of a revision than "+profileStream, mendHeads)
	r.found(unkept, "poison_unkept", "messages that cannot be read are settled, and their profiles not quarantined", mendHeads)
}

// agree reports whether a head says what its message says.
func (r *run) agree(n *revision, h head) bool {
	if n.unread || h.quarantined {
		return h.quarantined && !h.alive
	}
	if h.alive != (n.status == profile.Published) || h.intakeSeq != n.intakeSeq || n.quiet && !h.quiet {
		return false
	}
	if n.status == profile.Withdrawn {
		return h.body == [32]byte{}
	}
	return h.status == n.status && h.revision == n.revision && h.body == n.body
}

// compareIntake asks whether INTAKE still counts on from where it was. If it does
// not, what producers say now is taken for something old.
func (r *run) compareIntake(db *database, intake Extent) {
	var t tally
	for id, h := range db.heads {
		if h.intakeSeq > intake.LastSeq {
			t.add("%s was submitted at %d, %s ends at %d", id, h.intakeSeq, intakeStream, intake.LastSeq)
		}
	}
	r.found(t, "intake_lost", intakeStream+" ends before submissions that were accepted: what is submitted now is taken for older than they are", mendStream)
}
