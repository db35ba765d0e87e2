package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.com/gatehouse/internal/auth"
)

// terminal opens a terminal: what is typed into one end can be read from the other, and shown is what it would display.
func terminal(t *testing.T) (keyboard, stdin *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	stdin, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close() })
	return keyboard, stdin
}

// typist types the next line when it is asked for one.
type typist struct {
	keyboard *os.File
	stdin    *os.File
	lines    []string
	mu       sync.Mutex
	asked    strings.Builder
	typing   sync.WaitGroup
}

func (p *typist) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked.Write(b)
	if strings.HasSuffix(string(b), ": ") && len(p.lines) > 0 {
		line := p.lines[0]
		p.lines = p.lines[1:]
		p.typing.Go(func() {
			for range 1000 { // until the terminal does not show what is typed
				state, err := unix.IoctlGetTermios(int(p.stdin.Fd()), unix.TCGETS)
				if err != nil || state.Lflag&unix.ECHO == 0 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			p.keyboard.WriteString(line + "\n")
		})
	}
	return len(b), nil
}

func TestPasswordsFromATerminalAreNotShownAndAskedForTwice(t *testing.T) {
	for _, row := range []struct {
		name  string
		lines []string
		want  auth.Secret
		says  string
	}{
		{"the same twice", []string{"pass word", "pass word"}, "pass word", ""},
		{"two that differ", []string{"pass word", "pass w0rd"}, "", "the two passwords differ"},
	} {
		t.Run(row.name, func(t *testing.T) {
			keyboard, stdin := terminal(t)
			p := &typist{keyboard: keyboard, stdin: stdin, lines: row.lines}
			shown := make(chan string, 1)
			go func() {
				var screen strings.Builder
				io.Copy(&screen, keyboard)
				shown <- screen.String()
			}()
			got, err := (&passwordFrom{}).read(stdin, p)
			if got != row.want || (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
				t.Errorf("%q %v", got.Reveal(), err)
			}
			if p.asked.String() != "Password: \nOnce more: \n" {
				t.Errorf("asked %q", p.asked.String())
			}
			p.typing.Wait()
			stdin.Close() // ends what the terminal shows
			if text := <-shown; strings.Contains(text, "pass") {
				t.Errorf("the terminal shows %q", text)
			}
		})
	}
}
