package flat_test

import (
	"bytes"
	"fmt"
	"testing"

	"kobling/internal/flat"
)

// BenchmarkFlat writes and reads 10,000 words with a number each.
func BenchmarkFlat(b *testing.B) {
	words := make([]string, 10_000)
	for i := range words {
		words[i] = fmt.Sprintf("word%d", i*7919%100_003)
	}
	var file bytes.Buffer
	write := func() {
		file.Reset()
		w := flat.NewWriter(&file, "bench 1")
		for i, s := range words {
			w.Text(s)
			w.Uint(uint64(i))
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
	write()
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			write()
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r := flat.NewReader(bytes.NewReader(file.Bytes()), "bench 1")
			for range words {
				r.Text(20)
				r.Uint(uint64(len(words)))
			}
			if err := r.Close(); err != nil {
				b.Fatal(err)
			}
		}
	})
}
