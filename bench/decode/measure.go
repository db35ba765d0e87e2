package main

import (
	"runtime"
	"slices"
	"syscall"
	"time"
)

// cell is what one implementation did with one sample.
type cell struct {
	repeat int       // how often the bodies are decoded in a round
	nanos  []float64 // of one operation, a figure of each round
	allocs float64   // of one operation
	bytes  float64
}

func (c *cell) nano() float64 {
	if c == nil || len(c.nanos) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(c.nanos))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// figures are the cells of a subject by sample and implementation. What an implementation gets wrong has none.
type figures map[string]map[string]*cell

func (f figures) cell(sample, implementation string) *cell {
	if f[sample] == nil {
		f[sample] = map[string]*cell{}
	}
	if f[sample][implementation] == nil {
		f[sample][implementation] = &cell{}
	}
	return f[sample][implementation]
}

// round measures every implementation with every sample. The implementations take turns with each sample, and another
// one is first in each round. Rounds are short and many, so that what the machine does besides meets all alike.
func (f figures) round(s subject, number int) {
	for _, sample := range s.samples {
		for i := range s.implementations {
			implementation := s.implementations[(i+number)%len(s.implementations)]
			if sample.passedBy[implementation.name] == "" {
				c := f.cell(sample.name, implementation.name)
				c.nanos = append(c.nanos, c.decode(implementation, sample))
			}
		}
	}
}

// prepare warms everything up, sets how often each cell repeats to fill the span, and counts what it allocates.
func (f figures) prepare(s subject, span time.Duration) {
	for _, sample := range s.samples {
		for _, implementation := range s.implementations {
			if sample.passedBy[implementation.name] != "" {
				continue
			}
			c := f.cell(sample.name, implementation.name)
			c.repeat = 10
			c.decode(implementation, sample)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			nanos := c.decode(implementation, sample)
			runtime.ReadMemStats(&after)
			operations := float64(c.repeat * len(sample.bodies))
			c.allocs = float64(after.Mallocs-before.Mallocs) / operations
			c.bytes = float64(after.TotalAlloc-before.TotalAlloc) / operations
			c.repeat = max(1, int(float64(span)/(nanos*float64(len(sample.bodies)))))
		}
	}
}

// decode decodes the bodies of the sample as often as the cell repeats, and returns the nanoseconds of CPU time of one.
func (c *cell) decode(i implementation, s sample) float64 {
	bodies := make([][]byte, len(s.bodies))
	for i, body := range s.bodies {
		bodies[i] = []byte(body)
	}
	start := cpuTime()
	for range c.repeat {
		for _, body := range bodies {
			i.decode(body)
		}
	}
	return float64(cpuTime()-start) / float64(c.repeat*len(bodies))
}

// cpuTime is what the process has used so far, its garbage collector included. Unlike the clock it does not go on while
// another process has the core.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it fails for no argument that is given here
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
