package index_test

import (
	"encoding/binary"
	"hash/crc32"
	"os"
	"testing"

	"kobling/internal/profile"
)

// TestBleveStillEndsSegmentsWithAChecksum pins what integrity.go relies on.
func TestBleveStillEndsSegmentsWithAChecksum(t *testing.T) {
	t.Parallel()
	_, path := filled(t)
	name, err := segmentOf(path, profile.Supply)
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	end := len(b) - crc32.Size
	if got, want := crc32.ChecksumIEEE(b[:end]), binary.BigEndian.Uint32(b[end:]); got != want {
		t.Errorf("the last four bytes of a segment are %08x, the CRC-32 of the rest is %08x: integrity.go would take every index for damaged", want, got)
	}
}
