package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/nats-io/nats.go"

	"kobling/internal/fault"
)

// Snapshot sizes and times.
const (
	snapshotChunk   = 64 << 10         // bytes in one message
	snapshotSilence = 30 * time.Second // without a chunk: the server is gone
)

// SnapshotMeta is what a server must be told to take a snapshot back.
type SnapshotMeta struct {
	Config json.RawMessage `json:"config"`
	State  json.RawMessage `json:"state"`
}

// apiError is how the JetStream API says what is wrong.
type apiError struct {
	Code        int    `json:"code"`
	Description string `json:"description"`
}

// Error returns the server's words.
func (e *apiError) Error() string { return fmt.Sprintf("%s (%d)", e.Description, e.Code) }

// api asks the JetStream API on subject and decodes its answer into out, which has a
// field for the error.
func (c *Conn) api(ctx context.Context, subject string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotSilence)
	defer cancel()
	m, err := c.nc.RequestWithContext(ctx, "$JS.API."+subject, b)
	if err != nil {
		return classify("ask "+subject, err)
	}
	return json.Unmarshal(m.Data, out)
}

// Snapshot writes a stream to w as it is at one moment, with its consumers. The
// server verifies every message's checksum on the way. The error wraps
// fault.ErrNotFound if there is no such stream.
func (c *Conn) Snapshot(ctx context.Context, name string, w io.Writer) (SnapshotMeta, error) {
	var meta SnapshotMeta
	if _, err := c.js.Stream(ctx, name); err != nil {
		return meta, lookUp(name, err)
	}
	sub, err := c.nc.SubscribeSync(c.nc.NewInbox())
	if err != nil {
		return meta, classify("snapshot of "+name, err)
	}
	defer func() { _ = sub.Unsubscribe() }() // or the connection is gone
	var began struct {
		SnapshotMeta

		Error *apiError `json:"error"`
	}
	request := map[string]any{"deliver_subject": sub.Subject, "chunk_size": snapshotChunk, "jsck": true}
	if err := c.api(ctx, "STREAM.SNAPSHOT."+name, request, &began); err != nil {
		return meta, fmt.Errorf("snapshot of %s: %w", name, err)
	}
	if began.Error != nil {
		return meta, fmt.Errorf("snapshot of %s: %w", name, began.Error)
	}
	return began.SnapshotMeta, c.receive(ctx, name, sub, w)
}

// receive writes the chunks of a snapshot to w. Each is acknowledged, so that no
// more are under way than fit.
func (c *Conn) receive(ctx context.Context, name string, sub *nats.Subscription, w io.Writer) error {
	for {
		wait, cancel := context.WithTimeout(ctx, snapshotSilence)
		m, err := sub.NextMsgWithContext(wait)
		cancel()
		if err != nil {
			return classify("snapshot of "+name, err)
		}
		if len(m.Data) == 0 {
			if status := m.Header.Get("Status"); status != "" && status != "204" {
				return fmt.Errorf("snapshot of %s: %w: the server ended it: %s %s", name, fault.ErrUnavailable, status, m.Header.Get("Description"))
			}
			return nil
		}
		if _, err := w.Write(m.Data); err != nil {
			return fmt.Errorf("snapshot of %s: %w", name, err)
		}
		if m.Reply == "" {
			continue // the last one
		}
		if err := c.nc.Publish(m.Reply, nil); err != nil {
			return classify("snapshot of "+name, err)
		}
	}
}

// RestoreSnapshot makes a stream of a snapshot, with the messages, sequences and
// consumers that it had. There must be no such stream.
func (c *Conn) RestoreSnapshot(ctx context.Context, name string, meta SnapshotMeta, r io.Reader) error {
	var began struct {
		Deliver string    `json:"deliver_subject"`
		Error   *apiError `json:"error"`
	}
	if err := c.api(ctx, "STREAM.RESTORE."+name, meta, &began); err != nil {
		return fmt.Errorf("restore %s: %w", name, err)
	}
	if began.Error != nil {
		return fmt.Errorf("restore %s: %w", name, began.Error)
	}
	chunk := make([]byte, snapshotChunk)
	for {
		n, err := io.ReadFull(r, chunk)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return fmt.Errorf("restore %s: %w", name, err)
		}
		// None at all ends it.
		if answer := c.restoreChunk(ctx, began.Deliver, chunk[:n]); answer != nil {
			return fmt.Errorf("restore %s: %w", name, answer)
		}
		if n == 0 {
			return nil
		}
	}
}

// restoreChunk sends one chunk and waits until it has been taken.
func (c *Conn) restoreChunk(ctx context.Context, subject string, chunk []byte) error {
	ctx, cancel := context.WithTimeout(ctx, snapshotSilence)
	defer cancel()
	m, err := c.nc.RequestWithContext(ctx, subject, chunk)
	if err != nil {
		return classify("send", err)
	}
	var answer struct {
		Error *apiError `json:"error"`
	}
	if len(m.Data) > 0 {
		if err := json.Unmarshal(m.Data, &answer); err != nil {
			return err
		}
	}
	if answer.Error != nil {
		return answer.Error
	}
	return nil
}

// Rewind has a consumer of a stream deliver everything from sequence seq on, once
// more.
func (c *Conn) Rewind(ctx context.Context, name, durable string, seq uint64) error {
	_, err := c.js.ResetConsumerToSequence(ctx, name, durable, seq)
	return classify("rewind consumer "+durable, err)
}

// Discard removes a stream that holds nothing. The error wraps fault.ErrConflict if
// it holds, or ever held, a message; that there is none is well.
func (c *Conn) Discard(ctx context.Context, name string) error {
	e, err := c.Extent(ctx, name)
	switch {
	case errors.Is(err, fault.ErrNotFound):
		return nil
	case err != nil:
		return err
	case e.LastSeq > 0:
		return fmt.Errorf("stream %s holds messages: %w", name, fault.ErrConflict)
	}
	return classify("delete stream "+name, c.js.DeleteStream(ctx, name))
}
