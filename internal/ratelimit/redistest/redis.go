// Package redistest starts a Redis for tests.
package redistest

import (
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"example.com/gatehouse/internal/needtest"
)

// Server is a Redis of the test's own, on loopback, that keeps nothing on disk.
type Server struct {
	// Address is its URL.
	Address string
	t       testing.TB
	program string
	port    string
	process *exec.Cmd
}

// Start starts a Redis, which ends with the test. Without the program the test is skipped, or fails where GATEHOUSE_TEST_REQUIRE names
// redis.
func Start(t testing.TB) *Server {
	t.Helper()
	program := needtest.Programs(t, "redis", "redis-server")[0]
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
	l.Close()
	s := &Server{Address: "redis://127.0.0.1:" + port + "/0", t: t, program: program, port: port}
	s.Start()
	t.Cleanup(s.Kill)
	return s
}

// Start starts it again after Kill, empty, on the same port.
func (s *Server) Start() {
	s.t.Helper()
	s.process = exec.Command(s.program, "--port", s.port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", s.t.TempDir())
	s.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", "127.0.0.1:"+s.port); err == nil {
			c.Close()
			return
		}
	}
	s.t.Fatal("redis-server does not answer")
}

// Kill ends the process at once.
func (s *Server) Kill() {
	if s.process == nil {
		return
	}
	s.process.Process.Kill()
	s.process.Wait()
	s.process = nil
}

// Hang stops the process without ending it: connections stay open, and nothing answers.
func (s *Server) Hang() { s.signal(syscall.SIGSTOP) }

// Continue goes on after Hang.
func (s *Server) Continue() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal os.Signal) {
	s.t.Helper()
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatal(err)
	}
}
