package main

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// rankSum is the Mann-Whitney test of two samples: it asks of every pair which of the two took longer, and so does not mind how the times are
// spread, nor that a few of them are long for another reason.
type rankSum struct {
	// longer is the share of the pairs in which the first took longer, ties as one half: 0.5 where the samples do not differ.
	longer float64
	// p is how likely a share at least as far from 0.5 is where they do not differ, by the normal approximation, which is good from twenty
	// values each.
	p float64
}

func mannWhitney(first, second []time.Duration) rankSum {
	type value struct {
		time  time.Duration
		first bool
	}
	var all []value
	for _, t := range first {
		all = append(all, value{t, true})
	}
	for _, t := range second {
		all = append(all, value{t, false})
	}
	slices.SortFunc(all, func(a, b value) int { return cmp.Compare(a.time, b.time) })
	var ranks, ties float64 // of the first; t³-t over groups of equal values
	for i := 0; i < len(all); {
		end := i
		for end < len(all) && all[end].time == all[i].time {
			end++
		}
		equal := float64(end - i)
		ties += equal*equal*equal - equal
		for ; i < end; i++ {
			if all[i].first {
				ranks += float64(end) - (equal-1)/2 // the mean of the ranks of the group, from 1
			}
		}
	}
	n, m := float64(len(first)), float64(len(second))
	u := ranks - n*(n+1)/2
	total := n + m
	deviation := math.Sqrt(n * m / 12 * (total + 1 - ties/(total*(total-1))))
	if deviation == 0 || math.IsNaN(deviation) {
		return rankSum{0.5, 1}
	}
	z := max(math.Abs(u-n*m/2)-0.5, 0) / deviation
	return rankSum{longer: u / (n * m), p: math.Erfc(z / math.Sqrt2)}
}
