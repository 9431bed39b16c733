package backup

import (
	"errors"
	"testing"

	"kobling/internal/fault"
)

// FuzzManifest: whatever a manifest says, no file outside the directory is read, and
// none twice.
func FuzzManifest(f *testing.F) {
	const files = `{"name":"database.dump"},{"name":"PROFILES.snapshot","stream":"PROFILES"},{"name":"EVENTS.snapshot","stream":"EVENTS"}`
	f.Add([]byte(`{"format":1,"files":[` + files + `,{"name":"INTAKE.snapshot","stream":"INTAKE","meta":{"config":{}}}]}`))
	f.Add([]byte(`{"format":1,"files":[` + files + `,{"name":"../INTAKE.snapshot","stream":"INTAKE"}]}`))
	f.Add([]byte(`{"format":9,"program":"x"}`))
	f.Add([]byte(`{"format":1,"settled":{"INTAKE":{"intake":-1}}}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parse(b)
		if err != nil {
			if !errors.Is(err, fault.ErrInvalid) {
				t.Errorf("parse = %v", err)
			}
			return
		}
		seen := map[string]bool{}
		for _, file := range m.Files {
			if seen[file.Name] || file.Name != databaseFile && file.Name != file.Stream+snapshotExt {
				t.Errorf("file %q of %q", file.Name, file.Stream)
			}
			seen[file.Name] = true
		}
		if len(seen) != len(streams)+1 {
			t.Errorf("%d files", len(seen))
		}
	})
}
