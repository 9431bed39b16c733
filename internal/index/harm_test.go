package index_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/blevesearch/bleve/v2/util"
	bolt "go.etcd.io/bbolt"

	"kobling/internal/index"
	"kobling/internal/profile"
)

// harm damages an index at path, which is closed.
type harm func(path string) error

// overwrite replaces the file called name with what edit makes of its content.
func overwrite(name string, edit func([]byte) []byte) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, edit(b), 0o600)
}

// segmentOf returns a segment file that one side uses.
func segmentOf(path string, side profile.Side) (string, error) {
	files, err := index.UsedFiles(filepath.Join(path, string(side)))
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s has no segment", side)
	}
	if err != nil {
		return "", err
	}
	return files[0], nil
}

// rootOf returns the root file of one side.
func rootOf(path string, side profile.Side) (string, error) {
	return filepath.Join(path, string(side), "root.bolt"), nil
}

// edited overwrites a file.
func edited(file func(string, profile.Side) (string, error), side profile.Side, edit func([]byte) []byte) harm {
	return func(path string) error {
		name, err := file(path, side)
		if err != nil {
			return err
		}
		return overwrite(name, edit)
	}
}

// removed removes a file and puts a directory in its place, if asked to.
func removed(file func(string, profile.Side) (string, error), directory bool) harm {
	return func(path string) error {
		name, err := file(path, profile.Supply)
		if err != nil {
			return err
		}
		if err := os.Remove(name); err != nil || !directory {
			return err
		}
		return os.Mkdir(name, 0o700)
	}
}

// spoilMarks raises the sequence in every mark, as a flipped bit would.
func spoilMarks(b []byte) []byte {
	stamp := at(6)
	for i := 0; i+16 < len(b); i++ {
		if nanosAt(b[i:]) == uint64(stamp.Created.UnixNano()) {
			b[i+15] ^= 16
		}
	}
	return b
}

func nanosAt(b []byte) (n uint64) {
	for _, c := range b[:8] {
		n = n<<8 | uint64(c)
	}
	return n
}

// otherHalf makes an index of another stream and returns what replaces one half
// by its.
func otherHalf(t *testing.T) harm {
	t.Helper()
	x := open(t, t.TempDir())
	mark := at(6)
	mark.Created = created.Add(time.Minute)
	if err := x.Apply(t.Context(), []index.Change{one("offer.a.1", 1, 1)}, mark); err != nil {
		t.Fatal(err)
	}
	x.Settle(t)
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	return func(path string) error {
		half := filepath.Join(path, string(profile.Supply))
		return errors.Join(os.RemoveAll(half), os.Rename(filepath.Join(x.Path(), string(profile.Supply)), half))
	}
}

// newestBroken leaves an index as a lost segment does just after a merge: its
// newest snapshot names a file that is not there, and one with the same mark is
// intact.
func newestBroken(path string) error {
	name, err := rootOf(path, profile.Supply)
	if err != nil {
		return err
	}
	db, err := bolt.Open(name, 0o600, nil)
	if err != nil {
		return err
	}
	err = db.Update(func(tx *bolt.Tx) error {
		snapshots := tx.Bucket(util.BoltSnapshotsBucket)
		key, _ := snapshots.Cursor().Last()
		next := slices.Clone(key)
		next[len(next)-1]++
		newest, err := snapshots.CreateBucket(next)
		if err != nil {
			return err
		}
		return copyBroken(newest, snapshots.Bucket(key))
	})
	return errors.Join(err, db.Close())
}

// copyBroken copies a bucket, but other paths.
func copyBroken(to, from *bolt.Bucket) error {
	return from.ForEach(func(k, v []byte) error {
		if bytes.Equal(k, util.BoltPathKey) {
			v = []byte("0000000000ff.zap")
		}
		if v != nil {
			return to.Put(k, v)
		}
		b, err := to.CreateBucket(k)
		if err != nil {
			return err
		}
		return copyBroken(b, from.Bucket(k))
	})
}
