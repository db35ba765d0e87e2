package mail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/gatehouse/internal/problem"
)

type sendFunc func(context.Context, Message) error

func (f sendFunc) Send(ctx context.Context, m Message) error { return f(ctx, m) }

func queue(f sendFunc, log *bytes.Buffer, pauses ...time.Duration) *Queue {
	return NewQueue(QueueConfig{Sender: f, Log: slog.New(slog.NewTextHandler(log, nil)), Size: 3, Parallel: 2, Pauses: pauses})
}

func TestPostDoesNotWait(t *testing.T) {
	hold := make(chan struct{})
	var sending, most, sent atomic.Int64
	q := queue(func(context.Context, Message) error {
		n := sending.Add(1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		<-hold
		sending.Add(-1)
		sent.Add(1)
		return nil
	}, &bytes.Buffer{})
	for range 3 {
		if err := q.Post(hello); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Post(hello); !problem.Unavailable.Is(err) || problem.From(err).RetryAfter <= 0 {
		t.Errorf("beyond the size: %v", err)
	}
	close(hold)
	q.Close(context.Background())
	if sent.Load() != 3 || most.Load() > 2 {
		t.Errorf("%d sent, %d at once", sent.Load(), most.Load())
	}
	if err := q.Post(hello); !problem.Unavailable.Is(err) {
		t.Errorf("after the end: %v", err)
	}
	q.Close(context.Background())
}

func TestTries(t *testing.T) {
	for _, row := range []struct {
		name  string
		fails int // tries that fail before one succeeds
		err   error
		tries int64
		lost  bool
	}{
		{"at once", 0, nil, 1, false},
		{"the second time", 1, errors.New("busy"), 2, false},
		{"the last time", 2, errors.New("busy"), 3, false},
		{"never", 100, errors.New("busy"), 3, true},
		{"refused", 100, fmt.Errorf("%w: 550", ErrRefused), 1, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			var tries atomic.Int64
			var log bytes.Buffer
			over := make(chan struct{})
			q := queue(func(context.Context, Message) error {
				if n := tries.Add(1); n <= int64(row.fails) {
					if row.lost && n == row.tries {
						close(over)
					}
					return row.err
				}
				close(over)
				return nil
			}, &log, time.Millisecond, time.Millisecond)
			if err := q.Post(hello); err != nil {
				t.Fatal(err)
			}
			<-over
			q.Close(context.Background())
			if tries.Load() != row.tries || strings.Contains(log.String(), "lost") != row.lost {
				t.Errorf("%d tries, want %d; the log: %s", tries.Load(), row.tries, log.String())
			}
			if strings.Contains(log.String(), hello.To) || strings.Contains(log.String(), long) {
				t.Errorf("the log holds the address or the link: %s", log.String())
			}
		})
	}
}

// TestCloseEnds: what does not end by itself is ended with the context, and is told.
func TestCloseEnds(t *testing.T) {
	var log bytes.Buffer
	begun := make(chan struct{})
	q := queue(func(ctx context.Context, _ Message) error { close(begun); <-ctx.Done(); return ctx.Err() }, &log, time.Hour)
	if err := q.Post(hello); err != nil {
		t.Fatal(err)
	}
	<-begun
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	q.Close(ctx)
	if !strings.Contains(log.String(), "a mail is lost") {
		t.Errorf("the log: %s", log.String())
	}
}
