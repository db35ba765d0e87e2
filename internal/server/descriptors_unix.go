//go:build unix

package server

import (
	"math"
	"syscall"
)

// descriptors is how many files and connections the process may have open. Go has raised the soft limit to the hard one at start.
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 1024 // what systems that say nothing else give
	}
	return int(min(uint64(limit.Cur), math.MaxInt32))
}
