package embedded

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAccountIsToldWhichDirectoryItCannotEnter(t *testing.T) {
	t.Parallel()

	closed := filepath.Join(t.TempDir(), "closed")
	dir := filepath.Join(closed, "data")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	stranger := account{name: "stranger", uid: 3_000_000_001, gid: 3_000_000_001, switched: true}
	err := stranger.mayEnter(dir)
	if err == nil || !strings.Contains(err.Error(), `user "stranger", who cannot enter `+closed+" ") {
		t.Errorf("mayEnter = %v, want that stranger cannot enter %s", err, closed)
	}
	info, err := os.Stat(closed)
	if err != nil {
		t.Fatal(err)
	}
	uid, gid := owner(info)
	if err := (account{name: "self", uid: uid, gid: gid, switched: true}).mayEnter("/"); err != nil {
		t.Errorf("mayEnter(/) = %v, want nil", err)
	}
}

func TestFindBinariesTakesOnlyAVersionThatFits(t *testing.T) {
	t.Parallel()

	install := func(version string) string {
		dir := t.TempDir()
		for _, program := range []string{"postgres", "initdb"} {
			script := "#!/bin/sh\necho '" + program + " (PostgreSQL) " + version + "'\n"
			if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for _, tt := range []struct {
		name    string
		dir     string
		major   int    // of the data on disk; 0 for none
		want    int    // major version found
		message string // of the error
	}{
		{name: "new cluster", dir: install("17.2 (Debian 17.2-1)"), want: 17},
		{name: "its own version", dir: install("16.1"), major: 16, want: 16},
		{name: "a beta", dir: install("19beta1"), want: 19},
		{name: "another version", dir: install("17.2"), major: 15, message: "made by PostgreSQL 15, but only version 17 is installed"},
		{name: "too old", dir: install("13.4"), message: ErrNoBinaries.Error()},
		{name: "not PostgreSQL", dir: install("x"), message: "is not a version of PostgreSQL"},
		{name: "nothing there", dir: t.TempDir(), message: "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			b, err := findBinaries(t.Context(), tt.dir, tt.major)
			if b.major != tt.want || (err == nil) != (tt.message == "") || (err != nil && !strings.Contains(err.Error(), tt.message)) {
				t.Errorf("findBinaries = %d, %v; want %d, %q", b.major, err, tt.want, tt.message)
			}
		})
	}
}

func TestNewestInstallationComesFirst(t *testing.T) {
	t.Parallel()

	for path, want := range map[string]int{
		"/usr/lib/postgresql/17/bin":                               17,
		"/usr/pgsql-16/bin":                                        16,
		"/usr/local/pgsql/bin":                                     0,
		"/Applications/Postgres.app/Contents/Versions/18/bin":      18,
		"/opt/homebrew/opt/postgresql@15/bin":                      15,
		"/usr/lib/postgresql/99999999999999999999999999999999/bin": 1<<63 - 1,
	} {
		if got := versionInPath(path); got != want {
			t.Errorf("versionInPath(%s) = %d, want %d", path, got, want)
		}
	}
}

func TestLockIsForOneAtATime(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	first, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockDir(dir); !errors.Is(err, ErrInUse) {
		t.Errorf("second lock = %v, want ErrInUse", err)
	}
	first.release()
	second, err := lockDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	second.release()
}
