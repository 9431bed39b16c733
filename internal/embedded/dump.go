package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Dump writes the database at the address to w, in PostgreSQL's custom format, as
// it is at one moment. dir is where the programs are; "" looks in the usual places.
func Dump(ctx context.Context, dir, address string, w io.Writer) error {
	return client(ctx, dir, "pg_dump", address, nil, w, "--format=custom", "--no-owner", "--no-privileges", "--no-password")
}

// RestoreDump reads into the database at the address, which must be empty, what
// Dump wrote: all of it or nothing.
func RestoreDump(ctx context.Context, dir, address string, r io.Reader) error {
	return client(ctx, dir, "pg_restore", address, r, io.Discard,
		"--format=custom", "--no-owner", "--no-privileges", "--no-password", "--single-transaction", "--exit-on-error")
}

// client runs one of PostgreSQL's client programs. The password does not show in
// the list of processes.
func client(ctx context.Context, dir, program, address string, in io.Reader, out io.Writer, args ...string) error {
	path, err := clientPath(ctx, dir, program)
	if err != nil {
		return err
	}
	target, password, err := libpqAddress(address)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, append(args, "--dbname="+target)...) //nolint:gosec // the operator's own installation
	cmd.Env = append(cmd.Environ(), "LC_ALL=C")
	if password != "" {
		cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
	}
	var said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", program, err, lastLines(said.Bytes()))
	}
	return nil
}

// clientPath finds a client program: beside the server's programs, or else on PATH.
func clientPath(ctx context.Context, dir, program string) (string, error) {
	bin, err := findBinaries(ctx, dir, 0)
	if err == nil {
		if path, err := exec.LookPath(filepath.Join(bin.dir, program)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(program)
	if err != nil {
		return "", fmt.Errorf("%s is not on this machine: install PostgreSQL's client programs, or name their folder with --postgres-bin: %w", program, err)
	}
	return path, nil
}

// libpqParameters are those of an address that PostgreSQL's own programs know; a
// server's address may hold others that only this program does.
var libpqParameters = []string{
	"host", "port", "user", "sslmode", "sslcert", "sslkey", "sslrootcert", "sslcrl", "channel_binding",
	"connect_timeout", "target_session_attrs", "gssencmode", "krbsrvname",
}

// libpqAddress returns an address for PostgreSQL's own programs, and the password
// that was in it.
func libpqAddress(address string) (target, password string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", "", errors.New("database address: want postgres://…") // and not the address: it may hold a secret
	}
	query := u.Query()
	password = query.Get("password")
	if u.User != nil {
		if p, ok := u.User.Password(); ok {
			password = p
		}
		u.User = url.User(u.User.Username())
	}
	for name := range query {
		if !slices.Contains(libpqParameters, name) {
			query.Del(name)
		}
	}
	// libpq reads %20 and not +.
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	return u.String(), password, nil
}

// lastLines is the end of what a program said.
func lastLines(b []byte) string {
	const most = 2 << 10
	b = bytes.TrimSpace(b)
	return string(b[max(len(b)-most, 0):])
}
