package event

import (
	"encoding/json"
	"fmt"
	"time"

	"kobling/internal/profile"
	"kobling/internal/suggestion"
)

// SubjectSuggestionCreated is where [TypeSuggestion] events are published.
const SubjectSuggestionCreated = Events + ".suggestion.created"

// NewRejected returns the event that tells a producer of r. Repeats of one
// refusal carry the same event id.
func NewRejected(r Rejection) (Message, error) {
	data, err := json.Marshal(r)
	if err != nil {
		return Message{}, fmt.Errorf("encode rejection of %s: %w", r.ProfileID, err)
	}
	return Envelope{
		ID:      fmt.Sprintf("%s-%d-rejected", r.ProfileID, r.IntakeSeq),
		Source:  source,
		Type:    TypeRejected,
		Subject: string(r.ProfileID),
		Time:    r.At,
		Data:    data,
	}.Binary(Subject(Rejections, r.ProfileID)), nil
}

// SuggestionCreated is the data of a [TypeSuggestion] event: a pair became a
// suggestion, or rose to a higher band.
type SuggestionCreated struct {
	DemandID profile.ID      `json:"demand_id"`
	SupplyID profile.ID      `json:"supply_id"`
	Score    float64         `json:"score"` // 0 to 1
	Band     suggestion.Band `json:"band"`
	// AlsoPostedAs is the near-duplicate of one side whose suggestion with the
	// other side came first.
	AlsoPostedAs *suggestion.Twin `json:"also_posted_as,omitempty"`
}

// NewSuggestionCreated returns the event with which other systems learn of s.
// The id is the caller's: repeats of one fact must carry the same one.
func NewSuggestionCreated(id string, at time.Time, s SuggestionCreated) (Message, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return Message{}, fmt.Errorf("encode suggestion of %s and %s: %w", s.DemandID, s.SupplyID, err)
	}
	return Envelope{
		ID:      id,
		Source:  source,
		Type:    TypeSuggestion,
		Subject: string(s.DemandID),
		Time:    at,
		Data:    data,
	}.Structured(SubjectSuggestionCreated), nil
}
