package accounts

import (
	"testing"
	"time"
)

// TestWhatIsPutOffLetsTheAnswerGoFirst, since both together would take the longer the more there is to do, and tell by that.
func TestWhatIsPutOffLetsTheAnswerGoFirst(t *testing.T) {
	l := newLater()
	defer l.close()
	put, begun := time.Now(), make(chan time.Time, 1)
	if err := l.do(func() { begun <- time.Now() }); err != nil {
		t.Fatal(err)
	}
	if waited := (<-begun).Sub(put); waited < answerFirst {
		t.Errorf("it began after %s, want %s at least", waited, answerFirst)
	}
}
