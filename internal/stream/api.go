package stream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"go.uber.org/zap"

	"kobling/internal/event"
	"kobling/internal/fault"
)

// Limits of the request/reply API.
const (
	apiParallel = 16               // requests worked on at once, in one process
	apiTimeout  = 30 * time.Second // for one answer
)

// Answer answers one request with JSON in and out. What its error says is told
// to the caller if it wraps a kind of package fault, and only then.
type Answer func(ctx context.Context, request []byte) ([]byte, error)

// Serve answers requests on kobling.api.<name> by answers[name] until ctx ends;
// then it finishes those in hand. Replicas share the load.
func (c *Conn) Serve(ctx context.Context, version string, answers map[string]Answer) error {
	service, err := micro.AddService(c.nc, micro.Config{
		Name:        "kobling",
		Version:     version,
		Description: "Answers the commands of kobling",
		ErrorHandler: func(_ micro.Service, err *micro.NATSError) {
			c.log.Error("API reported an error", zap.String("subject", err.Subject), zap.Error(err))
		},
	})
	if err != nil {
		return fmt.Errorf("serve API: %w", err)
	}
	var inHand sync.WaitGroup
	slots := make(chan struct{}, apiParallel)
	work := context.WithoutCancel(ctx)
	for name, answer := range answers {
		handler := micro.HandlerFunc(func(r micro.Request) {
			slots <- struct{}{} // holds back what comes behind it, in the client library's queue
			inHand.Go(func() {
				defer func() { <-slots }()
				c.reply(work, r, name, answer)
			})
		})
		if err := service.AddEndpoint(strings.ReplaceAll(name, ".", "-"), handler, micro.WithEndpointSubject(event.API+"."+name)); err != nil {
			return fmt.Errorf("serve API %s: %w", name, errors.Join(err, service.Stop()))
		}
	}
	<-ctx.Done()
	err = service.Stop()
	inHand.Wait()
	if err != nil && !errors.Is(err, nats.ErrConnectionClosed) {
		return fmt.Errorf("stop API: %w", err)
	}
	return nil
}

// reply answers one request.
func (c *Conn) reply(ctx context.Context, r micro.Request, name string, answer Answer) {
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	out, err := c.answer(ctx, name, answer, r.Data())
	if limit := c.nc.MaxPayload(); err == nil && int64(len(out)) > limit {
		err = fmt.Errorf("%w: the answer has %d bytes and one message takes %d: ask for less at a time", fault.ErrInvalid, len(out), limit)
	}
	// Not by r: the library reads there what it writes, as soon as the handler returns.
	m := nats.NewMsg(r.Reply())
	if m.Data = out; err != nil {
		m.Header.Set(micro.ErrorHeader, fault.Kind(err))
		m.Header.Set(micro.ErrorCodeHeader, fault.Kind(err))
		m.Data = []byte(told(err))
	}
	if err := c.nc.PublishMsg(m); err != nil {
		c.log.Warn("API answer not sent", zap.String("name", name), zap.Error(err))
	}
}

// answer calls answer; a panic is an error of no known kind.
func (c *Conn) answer(ctx context.Context, name string, answer Answer, in []byte) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
		if err != nil && told(err) == "" {
			c.log.Error("API request failed", zap.String("name", name), zap.Error(err))
		}
	}()
	return answer(ctx, in)
}

// kinds are those that travel.
func kinds() []error {
	return []error{fault.ErrPoison, fault.ErrInvalid, fault.ErrNotFound, fault.ErrStale, fault.ErrConflict, fault.ErrUnavailable}
}

// told returns what the caller may be told of err.
func told(err error) string {
	for _, kind := range kinds() {
		if errors.Is(err, kind) {
			return err.Error()
		}
	}
	return ""
}

// Request asks the service for name and returns its answer. The error wraps the
// kind that the answer failed with, and fault.ErrUnavailable if nobody answers.
// ctx should have a deadline; without one an answer must come within 30 s.
func (c *Conn) Request(ctx context.Context, name string, in []byte) ([]byte, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, apiTimeout)
		defer cancel()
	}
	m, err := c.nc.RequestWithContext(ctx, event.API+"."+name, in)
	if errors.Is(err, nats.ErrNoResponders) {
		return nil, fmt.Errorf("request %s: %w: no kobling with the role api is connected to this server", name, fault.ErrUnavailable)
	}
	if err != nil {
		return nil, classify("request "+name, err)
	}
	code := m.Header.Get(micro.ErrorCodeHeader)
	if code == "" {
		return m.Data, nil
	}
	for _, kind := range kinds() {
		if kind.Error() == code {
			return nil, &answerError{kind: kind, text: string(m.Data)}
		}
	}
	return nil, fmt.Errorf("request %s: the server failed: see its log", name)
}

// answerError is an error that the other side stated.
type answerError struct {
	kind error
	text string
}

// Error returns the other side's words.
func (e *answerError) Error() string { return e.text }

// Unwrap returns the kind.
func (e *answerError) Unwrap() error { return e.kind }
