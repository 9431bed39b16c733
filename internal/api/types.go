// Package api answers what commands and other systems ask of a running service
// over NATS request and reply. It decides nothing: it reads the ledger and the
// index, and makes reasons readable.
package api

import (
	"github.com/google/uuid"

	"kobling/internal/alert"
	"kobling/internal/event"
	"kobling/internal/profile"
	"kobling/internal/score"
	"kobling/internal/suggestion"
)

// The operations: each is asked for on the subject kobling.api.<name> with a
// JSON body and answers with a JSON body. Contracts: change them only by adding.
const (
	OpStatus        = "status"        // struct{} → Status
	OpReceipt       = "receipt"       // ReceiptQuery → Receipt
	OpSuggestions   = "suggestions"   // SuggestionsQuery → Suggestions
	OpSearch        = "search"        // SearchQuery → Hits
	OpExplain       = "explain"       // ExplainQuery → Explanation
	OpSubscribe     = "subscribe"     // alert.Subscription → NewSubscription
	OpSubscriptions = "subscriptions" // struct{} → Subscriptions
	OpUnsubscribe   = "unsubscribe"   // Unsubscribe → struct{}
	OpUnknown       = "unknown"       // UnknownQuery → UnknownWords
	OpIndex         = "index"         // IndexQuery → IndexContents
	OpDeadLetters   = "dead_letters"  // LettersQuery → DeadLetters
	OpDeadLetter    = "dead_letter"   // LetterQuery → DeadLetter
	OpRetry         = "retry"         // LetterQuery → Retried
	OpDrop          = "drop"          // LetterQuery → struct{}
	OpRematch       = "rematch"       // RematchQuery → Rematch
)

// Status is how far the work has come.
type Status struct {
	Version      string            `json:"version"`
	Ready        bool              `json:"ready"`
	Checks       map[string]string `json:"checks"`
	Epoch        int               `json:"epoch"`
	Waiting      Waiting           `json:"waiting"`
	Profiles     int64             `json:"profiles"`    // alive
	Suggestions  int64             `json:"suggestions"` // live
	Rejections   int64             `json:"rejections"`
	DeadLetters  int64             `json:"dead_letters"`
	IndexApplied uint64            `json:"index_applied"` // PROFILES sequence
	MailDir      string            `json:"mail_dir,omitempty"`
	Rematch      *Rematch          `json:"rematch,omitempty"` // the one that runs or is due, if any
}

// Waiting is the work not yet done, by stage.
type Waiting struct {
	Intake int64 `json:"intake"` // messages on INTAKE
	Match  int64 `json:"match"`  // messages on PROFILES
	Notify int64 `json:"notify"` // notifications pending or sending
	Events int64 `json:"events"` // events to publish
}

// Idle reports whether everything that was said has been worked through.
func (w Waiting) Idle() bool { return w == Waiting{} }

// ReceiptQuery asks what became of a submission.
type ReceiptQuery struct {
	ProfileID profile.ID `json:"profile_id"`
	IntakeSeq uint64     `json:"intake_seq"` // as returned when it was published
}

// Receipt is what became of a submission.
type Receipt struct {
	State    string        `json:"state"` // waiting, accepted, rejected or superseded
	Revision uint64        `json:"revision,omitempty"`
	Status   string        `json:"status,omitempty"` // of the profile: published, paused, …
	Matched  bool          `json:"matched"`          // its suggestions are written
	Faults   []event.Fault `json:"faults,omitempty"`
}

// The states of a Receipt.
const (
	Waits      = "waiting"
	Accepted   = "accepted"
	Rejected   = "rejected"
	Superseded = "superseded"
)

// SuggestionsQuery chooses suggestions and the reader's language.
type SuggestionsQuery struct {
	suggestion.Filter

	Lang string `json:"lang,omitempty"`
}

// MaxPage is the greatest number of suggestions in one answer. An answer has
// fewer if one message takes no more of them.
const MaxPage = 100

// Suggestions is one page, strongest first: as many as were asked for, or as one
// message takes, and one at least if there is any. Next is the offset of the next
// page, 0 when there is none.
type Suggestions struct {
	Items []suggestion.Suggestion `json:"items"`
	Next  int                     `json:"next,omitempty"`
}

// SearchQuery is a text in any language.
type SearchQuery struct {
	Text  string       `json:"text"`
	Lang  string       `json:"lang,omitempty"` // of the text; detected when empty
	Side  profile.Side `json:"side,omitempty"` // none: both
	Limit int          `json:"limit,omitempty"`
	// Reader is the language in which titles and labels are preferred.
	Reader string `json:"reader,omitempty"`
}

// Hits are the profiles found, best first: as many as were asked for, or as one
// message takes.
type Hits struct {
	Items []Hit `json:"items"`
}

// Hit is one profile found.
type Hit struct {
	ID           profile.ID             `json:"id"`
	Title        string                 `json:"title"`
	Organisation string                 `json:"organisation,omitempty"`
	Country      string                 `json:"country,omitempty"`
	Score        float64                `json:"score"` // 0 to 1: how much of the query is covered
	Reasons      []suggestion.Explained `json:"reasons"`
}

// ExplainQuery names a pair.
type ExplainQuery struct {
	DemandID profile.ID `json:"demand_id"`
	SupplyID profile.ID `json:"supply_id"`
	Lang     string     `json:"lang,omitempty"`
}

// Explanation is everything the system has to say of a pair, suggestion or not.
type Explanation struct {
	DemandID    profile.ID             `json:"demand_id"`
	SupplyID    profile.ID             `json:"supply_id"`
	DemandTitle string                 `json:"demand_title"`
	SupplyTitle string                 `json:"supply_title"`
	Score       float64                `json:"score"`
	Band        suggestion.Band        `json:"band,omitempty"`
	Text        float64                `json:"text"`  // text part, 0 to 1
	Floor       float64                `json:"floor"` // the least text part of a suggestion
	Parts       []score.Part           `json:"parts"`
	Blockers    []string               `json:"blockers,omitempty"`
	Gate        []string               `json:"gate,omitempty"` // why the pair is not shown, if it is not
	Live        bool                   `json:"live"`
	Reasons     []suggestion.Explained `json:"reasons"`
	Epoch       int                    `json:"epoch"`
}

// NewSubscription is a subscription just made. Secret is shown this once: the
// receiver of a webhook needs it to check signatures.
type NewSubscription struct {
	alert.Subscription

	Secret string `json:"secret,omitempty"`
}

// Subscriptions are all subscriptions.
type Subscriptions struct {
	Items []alert.Subscription `json:"items"`
}

// Unsubscribe ends a subscription.
type Unsubscribe struct {
	ID uuid.UUID `json:"id"`
}
