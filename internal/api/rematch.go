package api

import (
	"time"

	"kobling/internal/profile"
)

// RematchQuery asks how far the re-match is that was begun last. With Start it
// begins one first; that fails with fault.ErrConflict while one runs.
type RematchQuery struct {
	Start bool `json:"start,omitempty"`
}

// Rematch is a run in which everything is matched again.
type Rematch struct {
	State      RematchState `json:"state"`
	Epoch      int          `json:"epoch"`
	Run        int          `json:"run"`   // within its epoch, from 1; 0 while it is due
	Total      int64        `json:"total"` // messages of PROFILES when it began
	Done       int64        `json:"done"`
	From       uint64       `json:"from_seq"` // in PROFILES
	To         uint64       `json:"to_seq"`
	StartedAt  time.Time    `json:"started_at,omitzero"`
	FinishedAt time.Time    `json:"finished_at,omitzero"`
	Stuck      int64        `json:"stuck"`                // messages given up
	Profiles   []Stuck      `json:"stuck_list,omitempty"` // the first of them
}

// RematchState is where a run is.
type RematchState string

// The states of a run.
const (
	RematchDue      RematchState = "due" // of an epoch that no process has taken up yet
	RematchRuns     RematchState = "running"
	RematchFinished RematchState = "finished"
	RematchReplaced RematchState = "replaced" // a later epoch began before it was finished
)

// MaxStuck is how many stuck messages an answer names.
const MaxStuck = 20

// Stuck is a message that a run gave up, so that it could end.
type Stuck struct {
	ProfileID profile.ID `json:"profile_id"`
	Seq       uint64     `json:"seq"` // in PROFILES
	Reason    string     `json:"reason"`
}
