package alert_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/alert"
	"kobling/internal/fault"
)

func TestASendErrorKeepsItsCause(t *testing.T) {
	t.Parallel()
	cause := fmt.Errorf("smtp: %w", fault.ErrUnavailable)
	err := fmt.Errorf("attempt 2: %w", &alert.SendError{After: time.Minute, Err: cause})
	var sent *alert.SendError
	if !errors.As(err, &sent) || !errors.Is(err, fault.ErrUnavailable) || fault.Judge(err) != fault.Retry {
		t.Fatalf("%v has lost its cause", err)
	}
	if sent.Error() != cause.Error() || sent.RetryAfter() != time.Minute {
		t.Errorf("it says %q and waits %s", sent.Error(), sent.RetryAfter())
	}
}

// Who lists subscriptions must not learn the secrets that sign webhooks.
func TestASecretIsNeverWritten(t *testing.T) {
	t.Parallel()
	body, err := json.Marshal(alert.Subscription{Cluster: "north", Channel: alert.Webhook, Address: "https://example.org/hook", Secret: "whsec_c2VjcmV0"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(body), "whsec") || !strings.Contains(string(body), "example.org") {
		t.Errorf("a subscription is written as %s", body)
	}
	var back alert.Subscription
	if err := json.Unmarshal([]byte(`{"cluster":"north","secret":"mine","Secret":"mine"}`), &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(alert.Subscription{Cluster: "north"}, back); diff != "" {
		t.Errorf("a secret is taken from outside (-want +got):\n%s", diff)
	}
}
