package app

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kobling/internal/fault"
)

func TestLimitsOfReadinessSayWhatToDo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		got  error
		want string
	}{
		{"room", enoughRoom("/data", minReadyFree), ""},
		{"no room", enoughRoom("/data", minReadyFree-1), "/data has 255 MiB free, at least 256 are needed: make room"},
		{"soon", soonEnough("an alert", maxOutboxAge, maxOutboxAge), ""},
		{"late", soonEnough("an alert", 3*time.Hour, maxOutboxAge), "an alert has been waiting for 3h0m0s, at most 10m0s is well"},
	} {
		switch {
		case tt.want == "" && tt.got != nil, tt.want != "" && !errors.Is(tt.got, fault.ErrUnavailable):
			t.Errorf("%s: %v", tt.name, tt.got)
		case tt.want != "" && !strings.Contains(tt.got.Error(), tt.want):
			t.Errorf("%s: %v, want %q", tt.name, tt.got, tt.want)
		}
	}
}
