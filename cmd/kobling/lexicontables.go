package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"

	"kobling/internal/analysis"
	"kobling/internal/app"
	"kobling/internal/lexicon"
	"kobling/internal/pack"
	"kobling/internal/translate"
)

// translations are the translation tables of a data directory.
type translations struct{ path string }

// openTables returns the tables that are compiled from the packs of dataDir.
func openTables(dataDir string) pack.Tables {
	return translations{app.TablesPath(dataDir)}
}

// Compile implements [pack.Tables]: it learns from the built-in lexicon and from
// entries.
func (t translations) Compile(ctx context.Context, entries iter.Seq[pack.Entry], progress func(done, total int)) error {
	lex, err := lexicon.Default()
	if err != nil {
		return err
	}
	a, err := analysis.New(lex) //nolint:contextcheck // it learns from the lexicon alone, in a moment
	if err != nil {
		return err
	}
	packed := 0
	tables, err := a.Learn(ctx, func(yield func(translate.Entry) bool) {
		for e := range entries {
			packed++
			if !yield(e) {
				return
			}
		}
	}, progress)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil: // a pack is damaged: keep what there was
		return ctx.Err()
	case packed == 0:
		if err := os.Remove(t.path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	return writeWhole(t.path, tables.Write)
}

// Table implements [pack.Tables].
func (t translations) Table() (table pack.Table, ok bool, err error) {
	f, err := os.Open(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return table, false, nil
	}
	if err != nil {
		return table, false, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil {
		return table, false, err
	}
	tables, err := translate.Read(f)
	if err != nil {
		return table, false, fmt.Errorf("%s: %w (import or remove a pack to compile them again)", t.path, err)
	}
	table = pack.Table{Words: make(map[string]int), Bytes: tables.Bytes(), Compiled: info.ModTime().UTC()}
	for _, lang := range tables.Languages() {
		table.Words[lang] = tables.Words(lang)
	}
	return table, true, nil
}
