package pack

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"strings"

	"kobling/internal/fault"
)

// source is a file that is being read: unpacked if it is gzip, bounded, and
// hashed as it is given.
type source struct {
	*bufio.Reader

	file *os.File
	sum  hash.Hash
	raw  io.Reader // the file, through the hash
}

// openSource opens the file at path. The error wraps fault.ErrInvalid if it
// claims to be gzip and is not.
func (s *scan) openSource(path string) (*source, error) {
	f, err := os.Open(path) //nolint:gosec // the file that the user names
	if err != nil {
		if pathErr, ok := errors.AsType[*os.PathError](err); ok {
			err = pathErr.Err // the path is named already
		}
		return nil, err
	}
	stat, err := f.Stat()
	if err == nil && stat.IsDir() {
		err = errors.New("is a folder; name a file in it")
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	src := &source{file: f, sum: sha256.New()}
	raw := bufio.NewReaderSize(io.TeeReader(&counter{ctx: s.ctx, r: f, total: stat.Size(), told: s.options.Progress}, src.sum), 1<<16)
	src.raw = raw
	var content io.Reader = raw
	if magic, _ := raw.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		if content, err = gzip.NewReader(raw); err != nil {
			return nil, errors.Join(gzipFault(err), f.Close())
		}
	}
	src.Reader = bufio.NewReaderSize(&bounded{r: content, left: maxBytes}, 1<<16)
	return src, nil
}

// close returns the checksum of the file as given, all of it.
func (s *source) close(err error) (string, error) {
	if err == nil {
		_, err = io.Copy(io.Discard, s.raw)
	}
	err = errors.Join(err, s.file.Close())
	return hex.EncodeToString(s.sum.Sum(nil)), err
}

// counter counts what is read, and ends with its context.
type counter struct {
	ctx         context.Context // of the call
	r           io.Reader
	done, total int64
	told        func(done, total int64)
}

func (c *counter) Read(p []byte) (int, error) {
	if err := context.Cause(c.ctx); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.done += int64(n)
	if c.told != nil {
		c.told(c.done, c.total)
	}
	return n, err
}

// bounded refuses to read more than a number of bytes.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, fmt.Errorf("more than %d MiB unpacked; split the file: %w", maxBytes>>20, fault.ErrInvalid)
	}
	return n, gzipFault(err)
}

// gzipFault says that a compressed file is damaged.
func gzipFault(err error) error {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	if corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the compressed file is damaged or cut off (%w); get it again: %w", err, fault.ErrInvalid)
	}
	return err
}

// lines reads a text by lines.
type lines struct {
	r *bufio.Reader
	n int // number of the last line
}

// next returns the next line without its end; long instead of it if it is longer
// than maxLine. The error is io.EOF at the end.
func (l *lines) next() (text string, long bool, err error) {
	var b []byte
	for {
		part, err := l.r.ReadSlice('\n')
		if len(b)+len(part) <= maxLine {
			b = append(b, part...)
		} else {
			long = true
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(b) == 0 && !long:
			return "", false, io.EOF
		case err != nil && !errors.Is(err, io.EOF):
			return "", false, err
		}
		l.n++
		if long {
			return "", true, nil
		}
		text = strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r")
		if l.n == 1 {
			text = strings.TrimPrefix(text, "\ufeff")
		}
		return text, false, nil
	}
}
