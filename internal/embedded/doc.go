// Package embedded runs the servers that kobling needs when the operator has
// none: a NATS server inside the process, and a private PostgreSQL cluster from
// the programs that the machine already has.
//
// Both keep everything in one directory that a file lock makes theirs alone,
// and both survive being killed: whatever a predecessor left behind (a stale pid
// file, an orphaned server, a half-made cluster) is put right at the next start.
package embedded
