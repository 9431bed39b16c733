package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kobling/internal/fault"
)

// TestNothingIsPublishedWhenARecordIsFaulty imports random files while no service
// runs: whoever got as far as publishing fails by that, and a faulty record must
// keep the command from it, wherever in whichever file it stands.
func TestNothingIsPublishedWhenARecordIsFaulty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := []string{
		`{"id":"need.acme.%d","organisation":{"name":"Acme","type":"sme"},"texts":[{"lang":"nb","title":"Fall"}],"colour":"red"}`,
		`{"id":"need.acme.%d","organisation":{"name":"","type":"sme"},"texts":[{"lang":"nb","title":"Fall"}]}`,
		`{"id":"need.acme.%d","organisation":{"name":"Acme","type":"sme"},"texts":[{"lang":"nb","title":"Fall"}],"trl":{"min":12,"max":12}}`,
		`{"id":"need.acme","organisation":{"name":"Acme","type":"sme"},"texts":[{"lang":"nb","title":"Fall %d"}]}`,
		`{"id":"need.acme.%d"`,
		`[%d]`,
	}
	const good = `{"id":"need.acme.%d","organisation":{"name":"Acme","type":"sme"},"texts":[{"lang":"nb","title":"Fall"}]}`
	rapid.Check(t, func(t *rapid.T) {
		args := []string{"import", "--data-dir", dir, "--nats-url="}
		skip := rapid.Bool().Draw(t, "skip-bad")
		if skip {
			args = append(args, "--skip-bad")
		}
		faulty, total := []string{}, 0
		for file := range rapid.IntRange(1, 2).Draw(t, "files") {
			name := filepath.Join(dir, fmt.Sprintf("%d.jsonl", file))
			var lines strings.Builder
			for line := range rapid.IntRange(0, 6).Draw(t, "records") {
				record := good
				if rapid.IntRange(0, 5).Draw(t, "faulty") == 0 {
					record = rapid.SampledFrom(bad).Draw(t, "record")
					faulty = append(faulty, fmt.Sprintf("%s:%d: ", name, line+1))
				}
				total++
				fmt.Fprintf(&lines, record+"\n", total)
			}
			if err := os.WriteFile(name, []byte(lines.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			args = append(args, name)
		}
		var out, errs strings.Builder
		err := run(t.Context(), args, streams{out: &out, err: &errs})
		if asked := errors.Is(err, fault.ErrUnavailable); asked != (len(faulty) == 0 || skip) || err == nil || out.Len() > 0 {
			t.Fatalf("%d of %d records are faulty, skip-bad %t: the service was asked for: %t: %v", len(faulty), total, skip, asked, err)
		}
		if len(faulty) > 0 && !skip && !strings.Contains(err.Error(), fmt.Sprintf("%d of %d records are faulty; nothing was imported", len(faulty), total)) {
			t.Errorf("%d of %d: %v", len(faulty), total, err)
		}
		for _, at := range faulty {
			if !strings.Contains(errs.String(), at) {
				t.Errorf("no word of %s:\n%s", at, errs.String())
			}
		}
		for said := range strings.Lines(errs.String()) {
			if !strings.HasPrefix(said, "…") && !hasPrefixOf(said, faulty) {
				t.Errorf("a good record is blamed: %s", said)
			}
		}
	})
}

func hasPrefixOf(s string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

func TestOnlyTheFirstFaultyRecordsAreListed(t *testing.T) {
	t.Parallel()
	var out, errs strings.Builder
	in := strings.NewReader(strings.Repeat("nonsense\n", maxShownFaults+7))
	err := run(t.Context(), []string{"import", "--nats-url=", "--data-dir", t.TempDir(), "-"}, streams{in: in, out: &out, err: &errs})
	if err == nil || strings.Count(errs.String(), "\n") != maxShownFaults+1 || !strings.Contains(errs.String(), "… and 7 faulty records more") {
		t.Errorf("%v:\n%s", err, errs.String())
	}
}
