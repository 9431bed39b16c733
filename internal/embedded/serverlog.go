package embedded

import (
	"bytes"
	"io"
	"os"
)

const (
	logKept   = 8 << 20 // a log larger than this is set aside at the next start
	logQuoted = 2 << 10 // of the log is quoted in an error
)

// openLog opens the server's log for appending and notes where this server's
// part of it begins.
func (p *Postgres) openLog() (*os.File, error) {
	if info, err := os.Stat(p.logName); err == nil && info.Size() > logKept {
		if err := os.Rename(p.logName, p.logName+".1"); err != nil {
			return nil, err
		}
	}
	f, err := os.OpenFile(p.logName, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	p.logStart, err = f.Seek(0, io.SeekEnd)
	return f, err
}

// logTail returns the last words of this server's log.
func (p *Postgres) logTail() []byte {
	f, err := os.Open(p.logName)
	if err != nil {
		return []byte(err.Error())
	}
	defer func() { _ = f.Close() }()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return []byte(err.Error())
	}
	from := max(p.logStart, size-logQuoted)
	b := make([]byte, size-from)
	n, _ := f.ReadAt(b, from) // a short read is still worth quoting
	return bytes.TrimSpace(b[:n])
}
