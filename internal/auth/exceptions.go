package auth

import (
	"maps"
	"sync"
	"time"
)

// Exceptions are the accounts, keys, sessions and access tokens whose credentials have ended before their time. They are few:
// the set is loaded at start, kept in memory, and changed in the same step as the row that it mirrors, so that a
// credential that was verified before is refused on the next request without a database read. Other processes read the
// rows that changed every few seconds.
// The zero value is empty. It may be used by several goroutines at once.
type Exceptions struct {
	mu        sync.RWMutex
	subjects  map[string]struct{}
	notBefore map[string]time.Time
	keys      map[string]struct{}
	sessions  map[string]time.Time // → when the last access token of it expires
	tokens    map[string]time.Time // → when it expires
}

// Allow reports whether nothing ends the credentials of p.
func (e *Exceptions) Allow(p *Principal) bool { return e.Reason(p) == "" }

// Reason says what ends the credentials of p, for operators alone, or "" where nothing does.
func (e *Exceptions) Reason(p *Principal) string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if _, ended := e.subjects[p.Subject]; ended {
		return "the account is disabled or deleted"
	}
	if p.KeyID != "" {
		if _, revoked := e.keys[p.KeyID]; revoked {
			return "the API key is revoked"
		}
		return ""
	}
	if p.SessionID != "" {
		if _, ended := e.sessions[p.SessionID]; ended {
			return "the session has ended"
		}
	}
	if p.TokenID != "" {
		if _, revoked := e.tokens[p.TokenID]; revoked {
			return "the token is revoked"
		}
	}
	if mark, marked := e.notBefore[p.Subject]; marked && p.IssuedAt.Before(mark) {
		return "it was issued before all tokens of the account were ended, as by another password"
	}
	return ""
}

// EndSubject refuses every credential of a disabled or deleted account. It reports whether that was so already.
func (e *Exceptions) EndSubject(subject string) (was bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.subjects == nil {
		e.subjects = make(map[string]struct{})
	}
	_, was = e.subjects[subject]
	e.subjects[subject] = struct{}{}
	return was
}

// ResumeSubject takes EndSubject back.
func (e *Exceptions) ResumeSubject(subject string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.subjects, subject)
}

// SetNotBefore refuses the tokens and remembered logins of the account that were issued before mark; API keys are
// revoked one by one. A mark is never taken back and never moves to an earlier time: of two that are set at once, in whatever order, the
// later holds.
func (e *Exceptions) SetNotBefore(subject string, mark time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.notBefore == nil {
		e.notBefore = make(map[string]time.Time)
	}
	if mark.After(e.notBefore[subject]) {
		e.notBefore[subject] = mark
	}
}

// RevokeKey refuses the API key. It reports whether that was so already.
func (e *Exceptions) RevokeKey(keyID string) (was bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.keys == nil {
		e.keys = make(map[string]struct{})
	}
	_, was = e.keys[keyID]
	e.keys[keyID] = struct{}{}
	return was
}

// RestoreKey takes RevokeKey back.
func (e *Exceptions) RestoreKey(keyID string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.keys, keyID)
}

// EndSession refuses the access tokens of the session. The last of them expires at until: then the session is forgotten.
func (e *Exceptions) EndSession(sessionID string, until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sessions == nil {
		e.sessions = make(map[string]time.Time)
	}
	e.sessions[sessionID] = until
}

// RevokeToken refuses the access token, which expires at until: then it is forgotten.
func (e *Exceptions) RevokeToken(tokenID string, until time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.tokens == nil {
		e.tokens = make(map[string]time.Time)
	}
	e.tokens[tokenID] = until
}

// Forget drops the sessions and tokens that have expired by now, which are refused anyway.
func (e *Exceptions) Forget(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	expired := func(_ string, until time.Time) bool { return until.Before(now) }
	maps.DeleteFunc(e.sessions, expired)
	maps.DeleteFunc(e.tokens, expired)
}
