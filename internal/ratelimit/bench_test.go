package ratelimit

import (
	"encoding/binary"
	"testing"
	"time"
)

// BenchmarkMemory is what one limit costs a request: with callers that come again, and with a table full of a hundred thousand and
// requests of a million.
func BenchmarkMemory(b *testing.B) {
	l := Limit{Name: "address", Quota: 600, Window: time.Minute}
	for _, bm := range []struct {
		name    string
		callers int
	}{{"one caller", 1}, {"a thousand callers", 1000}, {"a million callers", 1_000_000}} {
		b.Run(bm.name, func(b *testing.B) {
			keys := make([]string, bm.callers)
			for i := range keys {
				keys[i] = string(binary.BigEndian.AppendUint32(nil, uint32(i)))
			}
			m := NewMemory(100_000)
			now := start
			for _, key := range keys {
				m.Take(now, l, key, 1)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				now = now.Add(time.Millisecond)
				m.Take(now, l, keys[i], 1)
				if i++; i == len(keys) {
					i = 0
				}
			}
		})
	}
}
