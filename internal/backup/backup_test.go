package backup_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kobling/internal/backup"
	"kobling/internal/fault"
)

// installation notes what is asked of it, and in which order.
type installation struct {
	calls  []string
	schema int64
	full   bool
	fails  string // the call that fails
	loaded map[string]string
}

var errFails = errors.New("fails")

func (i *installation) call(name string) error {
	i.calls = append(i.calls, name)
	if name == i.fails {
		return errFails
	}
	return nil
}

func (i *installation) Settled(_ context.Context, stream string) (map[string]uint64, error) {
	return map[string]uint64{"c": uint64(len(stream))}, i.call("settled " + stream)
}

func (i *installation) Schema(context.Context) (int64, error) { return i.schema, i.call("schema") }
func (i *installation) Newest() (int64, error)                { return 7, nil }

func (i *installation) Dump(_ context.Context, w io.Writer) error {
	_, err := io.WriteString(w, "the database")
	return errors.Join(err, i.call("dump"))
}

func (i *installation) Snapshot(_ context.Context, stream string, w io.Writer) (json.RawMessage, error) {
	_, err := io.WriteString(w, stream+" itself")
	return json.RawMessage(`{"of":"` + stream + `"}`), errors.Join(err, i.call("snapshot "+stream))
}

func (i *installation) Empty(context.Context) error {
	if i.full {
		return fault.ErrConflict
	}
	return i.call("empty")
}

func (i *installation) Load(_ context.Context, r io.Reader) error {
	b, err := io.ReadAll(r)
	i.loaded["database"] = string(b)
	return errors.Join(err, i.call("load"))
}

func (i *installation) Restore(_ context.Context, stream string, meta json.RawMessage, r io.Reader) error {
	b, err := io.ReadAll(r)
	var m struct{ Of string }
	err = errors.Join(err, json.Unmarshal(meta, &m))
	i.loaded[stream] = string(b) + " of " + m.Of
	return errors.Join(err, i.call("restore "+stream))
}

func (i *installation) Resume(_ context.Context, settled map[string]map[string]uint64) error {
	return i.call("resume " + strings.Join(slices.Sorted(maps.Keys(settled)), " "))
}

// written returns the directory of a backup.
func written(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "backup")
	i := &installation{schema: 5}
	m, err := backup.Write(t.Context(), i, dir, "1.2", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"settled PROFILES", "settled EVENTS", "settled INTAKE", "schema", "dump",
		"snapshot PROFILES", "snapshot EVENTS", "snapshot INTAKE",
	}
	if diff := cmp.Diff(want, i.calls); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if m.Program != "1.2" || m.Schema != 5 || len(m.Files) != 4 || m.Settled["INTAKE"]["c"] != 6 {
		t.Errorf("manifest = %+v", m)
	}
	return dir
}

func TestWhatIsWrittenIsRestored(t *testing.T) {
	t.Parallel()
	i := &installation{loaded: map[string]string{}}
	told := map[string]int64{}
	m, err := backup.Restore(t.Context(), i, written(t), func(file string, n int64) { told[file] = n })
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{
		"database": "the database", "PROFILES": "PROFILES itself of PROFILES",
		"EVENTS": "EVENTS itself of EVENTS", "INTAKE": "INTAKE itself of INTAKE",
	}, i.loaded); diff != "" {
		t.Errorf("restored (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"empty", "load", "restore PROFILES", "restore EVENTS", "restore INTAKE", "resume EVENTS INTAKE PROFILES"}, i.calls); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if told["database.dump"] != m.Files[0].Bytes {
		t.Errorf("progress = %v", told)
	}
}

// TestADamagedBackupIsNotTouched: nothing is changed before everything is verified.
func TestADamagedBackupIsNotTouched(t *testing.T) {
	t.Parallel()
	edit := func(name string, f func([]byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			t.Helper()
			name := filepath.Join(dir, name)
			b, err := os.ReadFile(name)
			if err == nil {
				err = os.WriteFile(name, f(b), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	replace := func(old, by string) func(*testing.T, string) {
		return edit("manifest.json", func(b []byte) []byte { return []byte(strings.Replace(string(b), old, by, 1)) })
	}
	flip := func(b []byte) []byte { b[3] ^= 1; return b }
	cut := func(b []byte) []byte { return b[:len(b)-1] }
	for name, harm := range map[string]func(*testing.T, string){
		"database: a bit":        edit("database.dump", flip),
		"database: its end":      edit("database.dump", cut),
		"last stream: a bit":     edit("INTAKE.snapshot", flip),
		"a stream: its end":      edit("PROFILES.snapshot", cut),
		"a file too many bytes":  edit("EVENTS.snapshot", func(b []byte) []byte { return append(b, 0) }),
		"manifest: no JSON":      edit("manifest.json", half),
		"manifest: a later form": replace(`"format": 1`, `"format": 2`),
		"manifest: no form":      replace(`"format": 1`, `"format": 0`),
		"manifest: other schema": replace(`"schema": 5`, `"schema": 8`),
		"manifest: a way out":    replace(`"name": "INTAKE.snapshot"`, `"name": "../INTAKE.snapshot"`),
		"manifest: other stream": replace(`"stream": "INTAKE"`, `"stream": "EVENTS"`),
		"manifest: twice":        replace(`"name": "EVENTS.snapshot"`, `"name": "PROFILES.snapshot"`),
		"a file is gone": func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(filepath.Join(dir, "EVENTS.snapshot")); err != nil {
				t.Fatal(err)
			}
		},
		"the manifest is gone": func(t *testing.T, dir string) {
			t.Helper()
			if err := os.Remove(filepath.Join(dir, "manifest.json")); err != nil {
				t.Fatal(err)
			}
		},
		"a file less": replace(`"files": [`, `"files": [], "old": [`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := written(t)
			harm(t, dir)
			i := &installation{loaded: map[string]string{}}
			if _, err := backup.Restore(t.Context(), i, dir, nil); !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("Restore = %v, want %v", err, fault.ErrInvalid)
			}
			if len(i.calls) > 0 {
				t.Errorf("it was touched: %v", i.calls)
			}
		})
	}
}

func half(b []byte) []byte { return b[:len(b)/2] }

func TestWhatIsThereIsKept(t *testing.T) {
	t.Parallel()
	dir := written(t)
	if _, err := backup.Write(t.Context(), &installation{}, dir, "", nil); !errors.Is(err, fault.ErrConflict) {
		t.Errorf("a second backup in one place: %v", err)
	}
	i := &installation{full: true}
	if _, err := backup.Restore(t.Context(), i, dir, nil); !errors.Is(err, fault.ErrConflict) || len(i.calls) > 0 {
		t.Errorf("restored over another: %v, %v", err, i.calls)
	}
	i = &installation{loaded: map[string]string{}, fails: "restore EVENTS"}
	if _, err := backup.Restore(t.Context(), i, dir, nil); !errors.Is(err, errFails) || !strings.Contains(err.Error(), "empty the installation") {
		t.Errorf("half restored: %v", err)
	}
}

// TestABackupThatWasCutOffIsNone: until it is whole it has another name.
func TestABackupThatWasCutOffIsNone(t *testing.T) {
	t.Parallel()
	for _, fails := range []string{"settled EVENTS", "schema", "dump", "snapshot PROFILES", "snapshot INTAKE"} {
		dir := filepath.Join(t.TempDir(), "backup")
		if _, err := backup.Write(t.Context(), &installation{fails: fails}, dir, "", nil); !errors.Is(err, errFails) {
			t.Errorf("%s: %v", fails, err)
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%s: there is a backup: %v", fails, err)
		}
		if _, err := backup.Read(t.Context(), dir+".part", nil); !errors.Is(err, fault.ErrInvalid) {
			t.Errorf("%s: half a backup is read: %v", fails, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := backup.Read(ended, written(t), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("Read after its context = %v", err)
	}
}
