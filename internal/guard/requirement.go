package guard

import (
	"crypto/x509"
	"errors"
	"net/http"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"github.com/labstack/echo/v4"
)

type verdict int

const (
	absent verdict = iota
	bad
	good
	// undecided: the authenticator could not tell.
	undecided
)

// outcome is what became of the credential of one scheme.
type outcome struct {
	verdict   verdict
	principal *auth.Principal
	err       error // of an undecided one, and of a bad one where an authenticator said so
}

// schemeUse is a scheme that an operation names, with what can be known before a request.
type schemeUse struct {
	*Scheme
	// header is Param as net/http spells it, for a key in a header.
	header string
	meter  SchemeMeter // nil where nothing is counted
}

// alternative is an Alternative whose schemes are indexes into the operation's own list.
type alternative struct {
	needs []need
	// names are the schemes in document order.
	names []string
	// forbidden is the answer where the credentials are good and a scope is missing; forbiddenBearer the challenge
	// that goes with it where a bearer token was presented.
	forbidden       string
	forbiddenBearer []string
}

type need struct {
	use    int
	scopes []string
}

const inlineOutcomes = 8

// unavailableFor is how long a client waits that could not be told from an impostor: longer than a restart of a store.
const unavailableFor = 5 * time.Second

// authenticate evaluates every credential of the operation that was presented, each scheme at most once, and decides.
func (rt *route) authenticate(c echo.Context, s *State) error {
	if len(rt.uses) == 0 {
		return nil
	}
	p, err := rt.extract(c.Request(), s)
	if err != nil {
		return err
	}
	if err := rt.takeName(c, s, &p); err != nil {
		return err
	}
	var inline [inlineOutcomes]outcome
	outcomes := inline[:0]
	for i := range rt.uses {
		outcomes = append(outcomes, rt.uses[i].evaluate(s, &p))
	}
	rt.tell(outcomes)
	a, err := rt.decide(outcomes, &p)
	if err != nil {
		return err
	}
	s.admit(a, outcomes)
	return nil
}

// presentation is what a request holds at the places where the operation looks for credentials.
type presentation struct {
	authorization authorization
	request       *http.Request
	query         map[string][]string
	// stray: Authorization holds a credential that no scheme of the operation reads.
	stray bool
}

func (rt *route) extract(r *http.Request, s *State) (presentation, error) {
	p := presentation{request: r, query: s.query}
	if rt.usesAuthorization {
		switch fields := r.Header["Authorization"]; len(fields) {
		case 0:
		case 1:
			p.authorization = parseAuthorization(fields[0])
		default:
			e := problem.BadRequest.New("send one Authorization header")
			e.Challenges = rt.invalidRequest
			return p, e
		}
		switch p.authorization.kind {
		case authBasic:
			p.stray = !rt.usesBasic
		case authBearer:
			p.stray = !rt.usesBearer
		case authOther:
			p.stray = true
		}
		if p.authorization.kind == authBasic && rt.usesBasic && !s.Secure && !rt.insecureBasic {
			return p, problem.TransportInsecure.New("a password is taken over HTTPS only, and this one should be changed")
		}
	}
	for i := range rt.uses {
		use := &rt.uses[i]
		if use.APIKey == nil {
			continue
		}
		if _, n := use.key(&p); n > 1 {
			return p, problem.BadRequest.New("send the " + use.In + " parameter " + use.Param + " once")
		}
	}
	// Safe methods change nothing and pass, and so does what no browser sent: each in use sends Sec-Fetch-Site or Origin.
	if rt.crossOrigin.Check(r) != nil && rt.ambient(&p, s) {
		return p, problem.CrossOrigin.New("a page of another site made this request: send the credential in a header that only your own code sets")
	}
	return p, nil
}

// ambient reports whether a credential is there that browsers add by themselves, whatever page makes the request: a cookie, a
// remembered password, a client certificate (CWE-352). A password that code set is none of these; that code can make the browser send a
// remembered one instead, and is trusted not to.
func (rt *route) ambient(p *presentation, s *State) bool {
	for i := range rt.uses {
		switch use := &rt.uses[i]; {
		case use.Basic != nil && p.authorization.kind == authBasic && !s.ByCode, use.MutualTLS != nil && len(clientCertificates(p.request)) > 0:
			return true
		case use.APIKey != nil && use.In == "cookie":
			if _, n := use.key(p); n > 0 {
				return true
			}
		}
	}
	return false
}

// clientCertificates are what the client presented in the handshake.
func clientCertificates(r *http.Request) []*x509.Certificate {
	if r.TLS == nil {
		return nil
	}
	return r.TLS.PeerCertificates
}

// key returns the value at the place of an apiKey scheme and how often the name occurs there.
func (u *schemeUse) key(p *presentation) (value string, count int) {
	var values []string
	switch u.In {
	case "cookie":
		return cookieNamed(p.request.Header, u.Param)
	case "query":
		values = p.query[u.Param]
	default:
		values = p.request.Header[u.header]
	}
	if len(values) == 0 {
		return "", 0
	}
	return values[0], len(values)
}

func (u *schemeUse) evaluate(s *State, p *presentation) outcome {
	switch {
	case u.APIKey != nil:
		value, count := u.key(p)
		if count == 0 {
			return outcome{verdict: absent}
		}
		if !validKey(value) {
			return outcome{verdict: bad}
		}
		return judge(u.APIKey(s, auth.APIKey{Secret: auth.Secret(value)}))
	case u.MutualTLS != nil:
		chain := clientCertificates(p.request)
		if len(chain) == 0 {
			return outcome{verdict: absent}
		}
		return judge(u.MutualTLS(s, auth.ClientCertificate{Chain: chain}))
	case p.authorization.kind == authAbsent:
		return outcome{verdict: absent}
	case u.Basic != nil && p.authorization.kind == authBasic:
		credential, ok := parseBasic(p.authorization.value)
		if !ok {
			return outcome{verdict: bad}
		}
		return judge(u.Basic(s, credential))
	case u.Bearer != nil && p.authorization.kind == authBearer:
		if !validBearer(p.authorization.value) {
			return outcome{verdict: bad}
		}
		return judge(u.Bearer(s, auth.BearerToken{Secret: auth.Secret(p.authorization.value)}))
	}
	return outcome{verdict: absent} // Authorization holds the credential of another scheme
}

func judge(p *auth.Principal, err error) outcome {
	switch {
	case errors.Is(err, auth.ErrInvalidCredential):
		return outcome{verdict: bad, err: err}
	case err != nil:
		return outcome{verdict: undecided, err: err}
	case p == nil || p.Subject == "":
		// A defect of the authenticator must not become a caller without a name.
		return outcome{verdict: undecided, err: errors.New("the authenticator returned no subject")}
	}
	return outcome{verdict: good, principal: p}
}

// decide applies the requirement grammar of architecture.md §5 and returns the alternative that lets the caller in.
// A credential in Authorization that no scheme of the operation reads is a bad one: it was presented, so that the
// caller is not anonymous.
func (rt *route) decide(outcomes []outcome, p *presentation) (*alternative, error) {
	anyPresented, anyBad := p.stray, p.stray
	var first *auth.Principal
	for i := range outcomes {
		o := &outcomes[i]
		anyPresented = anyPresented || o.verdict != absent
		anyBad = anyBad || o.verdict == bad
		if o.verdict != good {
			continue
		}
		if first != nil && first.Subject != o.principal.Subject {
			return nil, problem.BadRequest.New("the credentials name different subjects: send those of one")
		}
		first = o.principal
	}
	var lacking *alternative
	var unsure error
	for i := range rt.alternatives {
		a := &rt.alternatives[i]
		if len(a.needs) == 0 && anyPresented {
			continue // a bad credential is never anonymous, and a good one is not either
		}
		switch v, err := a.judge(outcomes); {
		case v == passes:
			return a, nil
		case v == lacksScope && lacking == nil:
			lacking = a
		case v == unsettled && unsure == nil:
			unsure = err
		}
	}
	bearer := p.authorization.kind == authBearer
	switch {
	case unsure != nil:
		return nil, couldNotTell(unsure)
	case lacking != nil:
		rt.tellLacking(lacking, outcomes)
		e := problem.InsufficientScope.New(lacking.forbidden)
		e.Challenges = lacking.forbiddenBearer // none where the alternative asks for no token
		return nil, e
	case !anyPresented:
		return nil, unauthorized("this operation needs a credential", rt.challenges)
	case !anyBad:
		return nil, unauthorized("this operation needs another credential beside the one that was sent", rt.challenges)
	case bearer && rt.bearerIsBad(outcomes):
		return nil, unauthorized(credentialIsBad, rt.invalidToken)
	}
	return nil, unauthorized(credentialIsBad, rt.challenges)
}

// credentialIsBad is the same for all reasons: what is wrong with a credential is not for those who try some.
const credentialIsBad = "the credential is not valid"

func unauthorized(detail string, challenges []string) error {
	e := problem.Unauthorized.New(detail)
	e.Challenges = challenges
	return e
}

// bearerIsBad reports whether no scheme took the bearer token. A good token beside a bad key is not called invalid:
// the client would throw it away.
func (rt *route) bearerIsBad(outcomes []outcome) bool {
	for i := range outcomes {
		if rt.uses[i].Bearer != nil && outcomes[i].verdict != bad {
			return false
		}
	}
	return rt.usesBearer
}

// couldNotTell is the answer of an authenticator that is neither yes nor no: its own where it has one, such as the
// 429 of a limit on failures.
func couldNotTell(err error) error {
	var e *problem.Error
	if errors.As(err, &e) {
		return e
	}
	e = problem.Unavailable.Wrap(err, "repeat later")
	e.RetryAfter = unavailableFor
	return e
}

type alternativeVerdict int

const (
	// fails: a credential is missing or bad, so that nothing else matters.
	fails alternativeVerdict = iota
	lacksScope
	// unsettled: it would pass, if only the authenticator could tell.
	unsettled
	passes
)

func (a *alternative) judge(outcomes []outcome) (alternativeVerdict, error) {
	v := passes
	var unsure error
	for i := range a.needs {
		o := &outcomes[a.needs[i].use]
		switch {
		case o.verdict == absent || o.verdict == bad:
			return fails, nil
		case o.verdict == undecided:
			if unsure == nil {
				unsure = o.err
			}
			v = min(v, unsettled)
		case !o.principal.Scopes.Has(a.needs[i].scopes...):
			v = lacksScope
		}
	}
	return v, unsure
}

// admit makes the principal of the alternative the caller of the request. Of several credentials together only the
// scopes that all of them hold count, and the age of the oldest.
func (s *State) admit(a *alternative, outcomes []outcome) {
	if len(a.needs) == 0 {
		return
	}
	s.principal = *outcomes[a.needs[0].use].principal
	for i := range a.needs[1:] {
		p := outcomes[a.needs[i+1].use].principal
		s.principal.Scopes = s.principal.Scopes.Intersect(p.Scopes)
		if p.IssuedAt.Before(s.principal.IssuedAt) {
			s.principal.IssuedAt = p.IssuedAt
		}
		if s.principal.ClientID == "" {
			s.principal.ClientID = p.ClientID
		}
		if s.principal.KeyID == "" {
			s.principal.KeyID = p.KeyID
		}
	}
	s.principal.Schemes = a.names
	s.authenticated = true
}
