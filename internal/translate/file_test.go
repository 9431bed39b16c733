package translate_test

import (
	"bytes"
	"errors"
	"testing"

	"kobling/internal/fault"
	"kobling/internal/testkit"
	"kobling/internal/translate"
)

// Replicas and versions compare models; equal tables must be equal files.
func TestEqualTablesGiveEqualFiles(t *testing.T) {
	t.Parallel()
	tables := learn(t, "da: hus / en: house", "sv: hus / en: house", "fi: talo / en: house", "de: Haus / en: house")
	var first bytes.Buffer
	if err := tables.Write(&first); err != nil {
		t.Fatal(err)
	}
	for range 20 { // the order of a map would show
		var again bytes.Buffer
		if err := tables.Write(&again); err != nil || !bytes.Equal(first.Bytes(), again.Bytes()) {
			t.Fatalf("another file: %v", err)
		}
	}
}

// FuzzRead reads what may lie in a data directory.
func FuzzRead(f *testing.F) {
	var b bytes.Buffer
	if err := learn(f, "da: hus / en: house", "fi: talo / en: house").Write(&b); err != nil {
		f.Fatal(err)
	}
	content := testkit.Gunzip(f, b.Bytes())
	f.Add(content)
	f.Add(content[:len(content)/2])
	f.Fuzz(func(t *testing.T, content []byte) {
		tables, err := translate.Read(bytes.NewReader(testkit.Gzip(t, content)))
		if err != nil {
			if !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("Read = %v, want it invalid", err)
			}
			return
		}
		for _, lang := range tables.Languages() {
			tables.Lookup(nil, lang, "hus")
		}
		var again bytes.Buffer
		if err := tables.Write(&again); err != nil {
			t.Fatal(err)
		}
		if back, err := translate.Read(&again); err != nil || back.Version() != tables.Version() {
			t.Errorf("%s came back as %s, %v", tables.Version(), back.Version(), err)
		}
	})
}
