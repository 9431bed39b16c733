package pack

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// A stored pack is a gzipped file with an entry on each line: whether it is a
// whole text, then language and text of each term, all tab-separated.
const (
	markLabels = "label"
	markTexts  = "text"
)

// entryWriter writes the entries of a stored pack.
type entryWriter struct {
	z *gzip.Writer
	w *bufio.Writer
}

func newEntryWriter(w io.Writer) *entryWriter {
	z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is a known one
	return &entryWriter{z: z, w: bufio.NewWriter(z)}
}

func (w *entryWriter) write(e Entry) error {
	mark := markLabels
	if e.Parallel {
		mark = markTexts
	}
	_, err := w.w.WriteString(mark)
	for _, t := range e.Terms {
		for _, s := range []string{"\t", t.Lang, "\t", t.Text} {
			if err == nil {
				_, err = w.w.WriteString(s)
			}
		}
	}
	if err == nil {
		err = w.w.WriteByte('\n')
	}
	return err
}

func (w *entryWriter) close() error { return errors.Join(w.w.Flush(), w.z.Close()) }

// errStop ends a reading that has had enough.
var errStop = errors.New("enough")

// readEntries calls f for each entry of a stored pack's file.
func readEntries(file *os.File, f func(Entry) error) error {
	z, err := gzip.NewReader(bufio.NewReaderSize(file, 1<<16))
	if err != nil {
		return damaged(err)
	}
	in := bufio.NewReaderSize(z, 1<<16)
	var long []byte
	for n := 1; ; n++ {
		line, err := in.ReadSlice('\n')
		for long = long[:0]; errors.Is(err, bufio.ErrBufferFull); line, err = in.ReadSlice('\n') {
			long = append(long, line...)
		}
		if len(long) > 0 {
			long = append(long, line...)
			line = long
		}
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return nil
		}
		if err != nil { // a line without an end, too
			return damaged(err)
		}
		e, ok := parseEntry(string(bytes.TrimSuffix(line, []byte("\n"))))
		if !ok {
			return damaged(fmt.Errorf("line %d is no entry", n))
		}
		if err := f(e); err != nil {
			return err
		}
	}
}

func damaged(err error) error { return fmt.Errorf("its entries are damaged: %w", err) }

func parseEntry(line string) (e Entry, ok bool) {
	mark, rest, _ := strings.Cut(line, "\t")
	e.Parallel = mark == markTexts
	n := strings.Count(rest, "\t") + 1
	if !e.Parallel && mark != markLabels || n%2 != 0 {
		return e, false
	}
	e.Terms = make([]Term, 0, n/2)
	for more := true; more; {
		var t Term
		t.Lang, rest, _ = strings.Cut(rest, "\t")
		t.Text, rest, more = strings.Cut(rest, "\t")
		if t.Lang == "" || t.Text == "" {
			return e, false
		}
		e.Terms = append(e.Terms, t)
	}
	return e, len(e.Terms) > 1
}
