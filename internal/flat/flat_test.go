package flat_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"math"
	"testing"

	"pgregory.net/rapid"

	"kobling/internal/fault"
	"kobling/internal/flat"
)

func TestWhatIsWrittenComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		numbers := rapid.SliceOf(rapid.Uint64()).Draw(t, "numbers")
		texts := rapid.SliceOf(rapid.String()).Draw(t, "texts")
		write := func() []byte {
			var b bytes.Buffer
			w := flat.NewWriter(&b, "test 1")
			for _, n := range numbers {
				w.Uint(n)
			}
			for _, s := range texts {
				w.Text(s)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return b.Bytes()
		}
		file := write()
		if !bytes.Equal(file, write()) {
			t.Fatal("the same content gives other bytes")
		}
		r := flat.NewReader(bytes.NewReader(file), "test 1")
		for _, n := range numbers {
			if got := r.Uint(math.MaxUint64); got != n {
				t.Fatalf("%d came back as %d", n, got)
			}
		}
		for _, s := range texts {
			if got := r.Text(1 << 20); got != s {
				t.Fatalf("%q came back as %q", s, got)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhatDoesNotFitIsInvalid(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := flat.NewWriter(&b, "test 1")
	w.Uint(300)
	w.Text("abc")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	var foreign bytes.Buffer
	z := gzip.NewWriter(&foreign)
	if _, err := z.Write([]byte("something else")); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	all := func(r *flat.Reader) { r.Uint(300); r.Text(3) }
	for name, c := range map[string]struct {
		file   []byte
		header string
		read   func(*flat.Reader)
	}{
		"empty":          {nil, "test 1", all},
		"not compressed": {[]byte("test 1"), "test 1", all},
		"foreign":        {foreign.Bytes(), "test 1", all},
		"other layout":   {b.Bytes(), "test 2", all},
		"cut":            {b.Bytes()[:b.Len()-9], "test 1", all},
		"no checksum":    {b.Bytes()[:b.Len()-4], "test 1", all},
		"large number":   {b.Bytes(), "test 1", func(r *flat.Reader) { r.Uint(299) }},
		"long text":      {b.Bytes(), "test 1", func(r *flat.Reader) { r.Uint(300); r.Text(2) }},
		"something left": {b.Bytes(), "test 1", func(r *flat.Reader) { r.Uint(300) }},
		"something more": {b.Bytes(), "test 1", func(r *flat.Reader) { all(r); r.Uint(9) }},
	} {
		r := flat.NewReader(bytes.NewReader(c.file), c.header)
		c.read(r)
		if err := r.Close(); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%s: %v, want it invalid", name, err)
		}
	}
	r := flat.NewReader(&b, "test 1")
	if all(r); r.Bad() || r.Close() != nil {
		t.Error("what is all right is refused")
	}
}

// full fails as a full disk does.
type full struct{}

var errFull = errors.New("disk full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestAFullDiskIsTold(t *testing.T) {
	t.Parallel()
	w := flat.NewWriter(full{}, "test 1")
	for range 1 << 18 {
		w.Text("more than any buffer holds")
	}
	if err := w.Close(); !errors.Is(err, errFull) {
		t.Errorf("Close = %v, want %v", err, errFull)
	}
}
