package pack_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kobling/internal/pack"
	"kobling/internal/testkit"
)

// TestRealFilesAreReadWhole reads every list of the folders concepts, dictionaries
// and comparable of the one that KOBLING_EVAL_DATA names: the format is guessed
// right, no line is faulty, and no language is missing.
func TestRealFilesAreReadWhole(t *testing.T) {
	t.Parallel()
	data := testkit.EvalData(t)
	known := map[string]struct {
		format, langs string
		entries       int // at least
	}{
		"concepts/covid-terms":         {pack.Concepts, "da de en fi fr nb nl sv", 360},
		"concepts/cpv":                 {pack.Concepts, "da de en fi fr nl sv", 9000},
		"concepts/eu-codes":            {pack.Concepts, "da de en fi fr nl sv", 700},
		"concepts/eurovoc":             {pack.Concepts, "da de en fi fr nl sv", 700},
		"concepts/hpo":                 {pack.Concepts, "de en fr nl", 14_000},
		"concepts/los":                 {pack.Concepts, "en nb nn", 500},
		"concepts/scb-fields":          {pack.Concepts, "en sv", 290},
		"concepts/wordnet":             {pack.Concepts, "da en fi nb nl nn sv", 110_000},
		"concepts/yso":                 {pack.Concepts, "en fi sv", 27_000},
		"dictionaries/wikdict":         {pack.Dictionary, "da de en fi nb nl sv", 500_000},
		"dictionaries/wikipedia":       {pack.Dictionary, "da nb nl nn sv", 110_000},
		"dictionaries/freedict":        {pack.Dictionary, "en nb nl nn sv", 150_000},
		"dictionaries/apertium":        {pack.Dictionary, "da en fi nb nn sv", 90_000},
		"comparable/debian-da-en":      {pack.Parallel, "da en", 17_000},
		"comparable/eforms-parallel":   {pack.Parallel, "da de en fi fr nl sv", 2200},
		"comparable/yso-titles.tsv.gz": {pack.Comparable, "en fi sv", 25_000},
	}
	for start, want := range known {
		t.Run(start, func(t *testing.T) {
			t.Parallel()
			found, err := filepath.Glob(filepath.Join(data, start+"*"))
			if err != nil || len(found) != 1 {
				t.Fatalf("files: %v, %v", found, err)
			}
			info, report, err := pack.Scan(t.Context(), found[0], pack.Options{}, func(e pack.Entry) error {
				if e.Parallel != (want.format == pack.Parallel) {
					t.Errorf("%+v in a file of format %s", e, want.format)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			langs := strings.Join(slices.Sorted(maps.Keys(info.Terms)), " ")
			if info.Format != want.format || langs != want.langs || info.Entries < want.entries || report.Bad > 0 || len(report.Foreign) > 0 {
				t.Errorf("%s, %s, %d entries: %+v; want %+v", info.Format, langs, info.Entries, report, want)
			}
		})
	}
	for _, folder := range []string{"concepts", "dictionaries", "comparable"} {
		files, err := os.ReadDir(filepath.Join(data, folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.Contains(f.Name(), ".tsv") && !slices.ContainsFunc(slices.Collect(maps.Keys(known)), func(start string) bool {
				return strings.HasPrefix(folder+"/"+f.Name(), start)
			}) {
				t.Errorf("%s/%s is read by no test", folder, f.Name())
			}
		}
	}
}
