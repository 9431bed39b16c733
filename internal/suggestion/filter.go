package suggestion

import (
	"time"

	"kobling/internal/profile"
)

// Filter chooses live suggestions. The zero Filter chooses all, strongest first.
type Filter struct {
	Profile profile.ID `json:"profile,omitempty"` // either side
	Cluster string     `json:"cluster,omitempty"` // of either side
	MinBand Band       `json:"min_band,omitempty"`
	Limit   int        `json:"limit,omitempty"` // 0: no limit
	Offset  int        `json:"offset,omitempty"`
}

// Row is a live pair with both bodies, as the ledger returns it.
type Row struct {
	Pair

	FirstLiveAt   time.Time
	DemandProfile *profile.Profile
	SupplyProfile *profile.Profile
	Twin          *profile.Profile // see Suggestion.AlsoPostedAs; nil: none
}
