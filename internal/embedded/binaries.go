package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// oldestPostgres is the oldest major version that the product supports.
const oldestPostgres = 15

// ErrNoBinaries is what [StartPostgres] returns when the machine has no
// PostgreSQL server programs. Its text says how to get them.
var ErrNoBinaries = errors.New(`no PostgreSQL server programs (initdb, postgres; version 15 or newer) on this machine
  Debian, Ubuntu:  apt-get install postgresql
  Fedora, RHEL:    dnf install postgresql-server
  macOS:           brew install postgresql@17
or set KOBLING_DATABASE_URL to a PostgreSQL server that runs elsewhere`)

// binaries is one installation of PostgreSQL.
type binaries struct {
	dir   string
	major int
}

// path returns the file of one of the installation's programs.
func (b binaries) path(program string) string { return filepath.Join(b.dir, program) }

// binaryGlobs are where packages put the programs: Debian, PGDG's RPMs, Fedora,
// Homebrew on either processor, Postgres.app.
var binaryGlobs = [...]string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/usr/local/pgsql/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

// findBinaries returns the installation to use: the one in dir if that is not
// empty, else the first found on PATH, else the newest in the usual places.
// With major > 0 only that version will do, because a cluster on disk can be
// opened by no other.
func findBinaries(ctx context.Context, dir string, major int) (binaries, error) {
	var found []binaries
	for _, candidate := range candidateDirs(dir) {
		b, err := inspect(ctx, candidate)
		if err != nil {
			if dir != "" {
				return binaries{}, fmt.Errorf("PostgreSQL programs in %s: %w", dir, err)
			}
			continue
		}
		found = append(found, b)
	}
	var versions []string
	for _, b := range found {
		if (major == 0 && b.major >= oldestPostgres) || (major > 0 && b.major == major) {
			return b, nil
		}
		versions = append(versions, strconv.Itoa(b.major))
	}
	if major > 0 && len(found) > 0 {
		return binaries{}, fmt.Errorf("the data was made by PostgreSQL %d, but only version %s is installed: "+
			"install version %d again, or dump the data with it and restore the dump into a new data directory",
			major, strings.Join(versions, ", "), major)
	}
	return binaries{}, ErrNoBinaries
}

// candidateDirs returns the directories to look in, best first, each once.
func candidateDirs(dir string) []string {
	if dir != "" {
		return []string{dir}
	}
	var dirs []string
	add := func(d string) {
		if d, err := filepath.EvalSymlinks(d); err == nil && !slices.Contains(dirs, d) {
			dirs = append(dirs, d)
		}
	}
	// On PATH there may be a link, or only initdb; its neighbours are beside the file itself.
	for _, program := range []string{"postgres", "initdb"} {
		if p, err := exec.LookPath(program); err == nil {
			if p, err = filepath.EvalSymlinks(p); err == nil {
				add(filepath.Dir(p))
			}
		}
	}
	var packaged []string
	for _, glob := range binaryGlobs {
		matches, _ := filepath.Glob(glob) // the patterns are constant and well-formed
		packaged = append(packaged, matches...)
	}
	slices.SortStableFunc(packaged, func(a, b string) int {
		return cmp.Compare(versionInPath(b), versionInPath(a))
	})
	for _, d := range packaged {
		add(d)
	}
	return dirs
}

var (
	numberInPath   = regexp.MustCompile(`\d+`)
	postgresNumber = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)
)

// versionInPath returns the last number of a path such as
// /usr/lib/postgresql/17/bin, or 0.
func versionInPath(dir string) int {
	numbers := numberInPath.FindAllString(dir, -1)
	if len(numbers) == 0 {
		return 0
	}
	n, _ := strconv.Atoi(numbers[len(numbers)-1]) // out of range sorts first, and inspect decides
	return n
}

// inspect asks the programs in dir for their version.
func inspect(ctx context.Context, dir string) (binaries, error) {
	b := binaries{dir: dir}
	if _, err := os.Stat(b.path("initdb")); err != nil {
		return binaries{}, err
	}
	out, err := exec.CommandContext(ctx, b.path("postgres"), "--version").Output() //nolint:gosec // the operator's own installation
	if err != nil {
		return binaries{}, fmt.Errorf("ask for the version: %w", err)
	}
	m := postgresNumber.FindSubmatch(out)
	if m == nil {
		return binaries{}, fmt.Errorf("%q is not a version of PostgreSQL", strings.TrimSpace(string(out)))
	}
	b.major, err = strconv.Atoi(string(m[1]))
	return b, err
}
