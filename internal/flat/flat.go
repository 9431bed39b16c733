// Package flat writes numbers and texts one after the other, compressed, and
// reads them back within bounds. The same content gives the same bytes.
package flat

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"kobling/internal/fault"
)

// maxBytes bounds what a Reader unpacks: a small file can unpack to very much.
const maxBytes = 1 << 30

// Writer writes one file. After an error it writes nothing more; Close tells.
type Writer struct {
	zip *gzip.Writer
	buf *bufio.Writer
	err error
}

// NewWriter begins a file with a header that names its layout.
func NewWriter(w io.Writer, header string) *Writer {
	z := gzip.NewWriter(w)
	f := &Writer{zip: z, buf: bufio.NewWriterSize(z, 1<<16)}
	f.Text(header)
	return f
}

// Uint writes a number.
func (w *Writer) Uint(n uint64) {
	if w.err == nil {
		_, w.err = w.buf.Write(binary.AppendUvarint(w.buf.AvailableBuffer(), n))
	}
}

// Text writes a text.
func (w *Writer) Text(s string) {
	w.Uint(uint64(len(s)))
	if w.err == nil {
		_, w.err = w.buf.WriteString(s)
	}
}

// Close ends the file. It does not close what the file is written to.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	return errors.Join(w.buf.Flush(), w.zip.Close())
}

// Reader reads what a Writer wrote. After an error it reads zeros; Close tells.
type Reader struct {
	buf *bufio.Reader
	err error
}

// NewReader reads a file that begins with header.
func NewReader(r io.Reader, header string) *Reader {
	z, err := gzip.NewReader(r)
	if err != nil {
		return &Reader{err: err}
	}
	f := &Reader{buf: bufio.NewReaderSize(io.LimitReader(z, maxBytes), 1<<16)}
	if got := f.Text(64); f.err == nil && got != header {
		f.err = fmt.Errorf("is of layout %q, not %q", got, header)
	}
	return f
}

// Bad reports whether nothing more can be read. Whoever reads a list asks
// before each entry.
func (r *Reader) Bad() bool { return r.err != nil }

// Uint reads a number of at most most.
func (r *Reader) Uint(most uint64) uint64 {
	if r.err != nil {
		return 0
	}
	n, err := binary.ReadUvarint(r.buf)
	if err == nil && n > most {
		err = fmt.Errorf("%d is more than %d", n, most)
	}
	if err != nil {
		r.err = err
		return 0
	}
	return n
}

// Text reads a text of at most most bytes.
func (r *Reader) Text(most int) string {
	b := make([]byte, r.Uint(uint64(most))) //nolint:gosec // most is not negative
	if r.err != nil {
		return ""
	}
	_, r.err = io.ReadFull(r.buf, b)
	return string(b)
}

// Close reports what was wrong, also that the file does not end here. The error
// wraps fault.ErrInvalid.
func (r *Reader) Close() error {
	if r.err == nil {
		// The end is where the checksum is looked at.
		if _, err := r.buf.ReadByte(); err == nil {
			r.err = errors.New("does not end where it should")
		} else if !errors.Is(err, io.EOF) {
			r.err = err
		}
	}
	if r.err != nil {
		return fmt.Errorf("%w: %w", fault.ErrInvalid, r.err)
	}
	return nil
}
