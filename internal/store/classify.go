package store

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"kobling/internal/fault"
)

// classify adds the kind of fault to an error from the database. It looks at
// SQLSTATE codes, never at message text, which differs by locale and version.
// An error that has a kind keeps it.
func classify(err error) error {
	if err == nil || fault.Kind(err) != "internal" {
		return err
	}
	if kind := kindOf(err); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

func kindOf(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return fault.ErrNotFound
	}
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return kindOfState(pgErr.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return fault.ErrUnavailable
	}
	if _, ok := errors.AsType[net.Error](err); ok || pgconn.Timeout(err) || pgconn.SafeToRetry(err) {
		return fault.ErrUnavailable
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, puddle.ErrClosedPool) {
		return fault.ErrUnavailable
	}
	return nil
}

// kindOfState maps a SQLSTATE; nil is a mistake of ours.
func kindOfState(code string) error {
	switch code {
	case "55P03", "25P03": // lock_timeout, idle_in_transaction_session_timeout
		return fault.ErrUnavailable
	case "23505": // unique_violation
		return fault.ErrConflict
	}
	if len(code) < 2 {
		return nil
	}
	switch code[:2] {
	case "22", "23": // data exception, integrity constraint violation
		return fault.ErrInvalid
	case "08", "40", "53", "57", "58": // connection, rollback, resources, operator intervention, system error
		return fault.ErrUnavailable
	}
	return nil
}
