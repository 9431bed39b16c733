package index

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/blevesearch/bleve/v2/index/scorch"
	bleve "github.com/blevesearch/bleve_index_api"
	"go.uber.org/zap"

	"kobling/internal/inverted"
	"kobling/internal/profile"
)

// half is the bleve index of one side. It uses scorch, bleve's index, without
// the layer above it: there is no text to analyse, no mapping and no query
// language, only features that already have their weights.
type half struct {
	side   profile.Side
	scorch bleve.Index
	queue  *bleve.AnalysisQueue
	health *health
	mark   Mark // of the last batch; the zero Mark if there was none

	memory *inverted.Index // the features of all documents
}

// callbacks guards scorch's two global tables of callbacks. An entry lives only
// while NewScorch looks it up.
var callbacks sync.Mutex

// callbackName is the name of that entry.
const callbackName = "kobling"

// newScorch returns an index at path that is not open yet.
func newScorch(path string, readOnly bool, queue *bleve.AnalysisQueue, h *health) (bleve.Index, error) {
	callbacks.Lock()
	defer callbacks.Unlock()
	scorch.RegistryAsyncErrorCallbacks[callbackName] = h.failed
	scorch.RegistryEventCallbacks[callbackName] = h.event
	defer delete(scorch.RegistryAsyncErrorCallbacks, callbackName)
	defer delete(scorch.RegistryEventCallbacks, callbackName)
	return scorch.NewScorch(scorch.Name, settings(path, readOnly), queue)
}

// settings are scorch's, with the reason beside each that is not the default.
func settings(path string, readOnly bool) map[string]any {
	return map[string]any{
		"path":      path,
		"read_only": readOnly,

		"asyncErrorCallbackName": callbackName,
		"eventCallbackName":      callbackName,

		// A batch returns once it is searchable, and a file is written behind it:
		// the stream is the truth, and the mark says what reached the disk.
		"unsafe_batch": true,

		// The lock of our own is taken first, so nobody else can hold bolt's; if
		// somebody does all the same, say so and do not wait for ever.
		"bolt_timeout": "2s",

		"scorchMergePlanOptions": map[string]any{
			// Segments below this count as this large. The default of 2000 merges
			// every handful of documents with up to 2000 others; at 100 the CPU
			// time of small batches halves, for one or two segments more.
			"FloorSegmentSize": 100,
		},
	}
}

// openHalf opens the index of side at path, making it if there is none.
func openHalf(path string, side profile.Side, log *zap.Logger) (*half, error) {
	h := &half{
		side:   side,
		queue:  bleve.NewAnalysisQueue(1), // there is nothing to analyse
		health: &health{log: log, closing: make(chan struct{}), broken: make(chan struct{})},
		memory: inverted.New(),
	}
	err := h.open(path, false)
	if err != nil {
		h.queue.Close()
		return nil, err
	}
	return h, nil
}

// open opens the index and reads its mark. A panic or a memory fault on the way
// is damage: bbolt panics on a file that was cut short.
func (h *half) open(path string, readOnly bool) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			// What bleve had opened so far stays open: it has no way to close it.
			err = &damageError{fmt.Errorf("opening it panics: %v", p)}
		}
	}()
	h.scorch, err = newScorch(path, readOnly, h.queue, h.health)
	if err != nil {
		return err
	}
	if err := h.scorch.Open(); err != nil {
		return openError(err)
	}
	snapshot, err := h.snapshot()
	if err == nil {
		if h.mark, err = markOf(snapshot.Internal()); err == nil && h.memory != nil {
			err = h.load(snapshot)
		}
		err = errors.Join(err, snapshot.Close())
	}
	if err != nil {
		return errors.Join(err, h.scorch.Close())
	}
	return nil
}

// close closes the index.
func (h *half) close() error {
	close(h.health.closing)
	h.memory.Wait()
	err := h.scorch.Close()
	h.queue.Close()
	if err != nil {
		return fmt.Errorf("close index, %s: %w", h.side, err)
	}
	return nil
}

// snapshot returns what the index holds now; close it after use.
func (h *half) snapshot() (*scorch.IndexSnapshot, error) {
	reader, err := h.scorch.Reader()
	if err != nil {
		return nil, fmt.Errorf("read index: %w", err)
	}
	snapshot, ok := reader.(*scorch.IndexSnapshot)
	if !ok {
		return nil, fmt.Errorf("read index: bleve's reader is a %T, not a scorch snapshot", reader)
	}
	return snapshot, nil
}

// write applies batch, which is then searchable. It gives up if bleve breaks
// meanwhile, for then nobody would ever answer.
func (h *half) write(batch *bleve.Batch) error {
	done := make(chan error, 1)
	go func() { done <- h.scorch.Batch(batch) }()
	select {
	case err := <-done:
		return err
	case <-h.health.broken:
		return h.health.err()
	}
}

// health is what bleve's goroutines in the background report. With unsafe
// batches it is the only sign of a full disk.
type health struct {
	log     *zap.Logger
	closing chan struct{} // closed when the index is being closed
	broken  chan struct{} // closed when a goroutine of bleve's has died

	mu      sync.Mutex
	failing map[string]error // by the part that fails and retries
	fatal   error            // a part that died
}

// The parts of scorch that retry, as they call themselves.
const (
	persister = "persister"
	merger    = "merger"
)

// pause is how long a part that fails waits before it tries again. Scorch itself
// would not wait at all.
const pause = time.Second

// err returns what is wrong now.
func (h *health) err() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fatal != nil {
		return h.fatal
	}
	for _, err := range h.failing {
		return err // either will do
	}
	return nil
}

// failed is called by scorch, in the goroutine that failed.
func (h *health) failed(err error, path string) {
	h.log.Error("index fails in the background", zap.String("path", path), zap.Error(err))
	var from *scorch.ScorchError
	switch {
	case errors.Is(err, scorch.ErrCleanup):
		return // old files stay a while longer
	case errors.Is(err, scorch.ErrAsyncPanic) || !errors.As(err, &from):
		h.kill(err)
		return
	}
	h.mu.Lock()
	if h.failing == nil {
		h.failing = map[string]error{}
	}
	h.failing[from.Source] = err
	h.mu.Unlock()
	select {
	case <-time.After(pause):
	case <-h.closing:
	}
}

// kill records an error from which only a restart helps.
func (h *health) kill(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fatal == nil {
		h.fatal = err
		close(h.broken)
	}
}

// event is called by scorch; a part that made progress is well again.
func (h *health) event(e scorch.Event) bool {
	switch e.Kind {
	case scorch.EventKindPersisterProgress:
		h.recovered(persister)
	case scorch.EventKindMergerProgress:
		h.recovered(merger)
	default:
	}
	return true // false would hold scorch back
}

func (h *health) recovered(part string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.failing, part)
}
