package fault_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"kobling/internal/fault"
)

func TestEachKindHasOneMeaningAtEachEdge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err     error
		verdict fault.Verdict
		status  int
		kind    string
	}{
		{nil, fault.Done, 200, "internal"},
		{errors.New("surprise"), fault.Retry, 500, "internal"},
		{fmt.Errorf("decode: %w", fault.ErrPoison), fault.Reject, 422, "poison"},
		{fmt.Errorf("title: %w", fault.ErrInvalid), fault.Reject, 422, "invalid"},
		{fmt.Errorf("profile: %w", fault.ErrNotFound), fault.Reject, 404, "not found"},
		{fmt.Errorf("head: %w", fault.ErrStale), fault.Done, 409, "stale"},
		{fmt.Errorf("publish: %w", fault.ErrConflict), fault.Retry, 409, "conflict"},
		{fmt.Errorf("pool: %w", fault.ErrUnavailable), fault.Retry, 503, "unavailable"},
		{fmt.Errorf("query: %w", context.DeadlineExceeded), fault.Retry, 503, context.DeadlineExceeded.Error()},
	} {
		if got := fault.Judge(tt.err); got != tt.verdict {
			t.Errorf("Judge(%v) = %v, want %v", tt.err, got, tt.verdict)
		}
		if got := fault.Status(tt.err); got != tt.status {
			t.Errorf("Status(%v) = %d, want %d", tt.err, got, tt.status)
		}
		if got := fault.Kind(tt.err); tt.err != nil && got != tt.kind {
			t.Errorf("Kind(%v) = %q, want %q", tt.err, got, tt.kind)
		}
	}
}
