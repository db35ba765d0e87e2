package guard

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/problem"
	"github.com/labstack/echo/v4"
)

// route is an operation with everything that can be computed before a request.
type route struct {
	op      *Operation
	limiter Limiter
	clock   func() time.Time
	buffers *sync.Pool
	gate    Gate           // nil where nothing bounds the operation
	meter   OperationMeter // nil where nothing is counted

	limits limits

	// uses are the schemes of the operation, each once, in the order of the document.
	uses              []schemeUse
	alternatives      []alternative
	usesAuthorization bool
	usesBasic         bool
	usesBearer        bool
	insecureBasic     bool
	secretQuery       []string
	challenges        []string
	invalidToken      []string
	invalidRequest    []string

	bodies      []compiledBody
	mediaTypes  []string
	formNames   []string
	takes       string
	takesNoBody error
	produces    string

	responses []Response // nil where they are not checked

	hasPathParameters bool
	crossOrigin       *http.CrossOriginProtection
}

func compile(c *Config, op *Operation, buffers *sync.Pool) *route {
	rt := &route{op: op, limiter: c.Limiter, clock: c.Clock, buffers: buffers, insecureBasic: c.AllowInsecureBasic, crossOrigin: c.CrossOrigin, secretQuery: slices.Clone(op.SecretQuery)}
	if rt.crossOrigin == nil {
		rt.crossOrigin = &http.CrossOriginProtection{}
	}
	if !slices.Contains(c.Ungated, op.ID) {
		rt.gate = c.Gate
	}
	if c.CheckResponses && op.Responses != nil {
		rt.responses = op.Responses()
	}
	if c.Meter != nil {
		rt.meter = c.Meter.Operation(op.ID)
	}
	rt.hasPathParameters = strings.Contains(op.Path, "{")
	rt.compileSecurity(c)
	rt.compileLimits()
	for i := range op.Bodies {
		b := &op.Bodies[i]
		rt.bodies = append(rt.bodies, b.compile())
		if !b.Refused {
			rt.mediaTypes = append(rt.mediaTypes, b.MediaType)
		}
		rt.formNames = append(rt.formNames, b.FormNames...)
	}
	rt.takes = "this operation takes " + strings.Join(rt.mediaTypes, " or ")
	// 400 and not 415: no other media type would help, and a document need not declare 415 for what takes no body.
	rt.takesNoBody = problem.BadRequest.New("this operation takes no body")
	rt.produces = "this operation answers " + strings.Join(op.Produces, " or ")
	return rt
}

func (rt *route) compileSecurity(c *Config) {
	position := map[int]int{} // in c.Schemes → in rt.uses
	for _, a := range rt.op.Security {
		var compiled alternative
		var all, bearerScopes []string
		bearer := false
		for _, requirement := range a {
			scheme := &c.Schemes[requirement.Scheme]
			use, known := position[requirement.Scheme]
			if !known {
				use = len(rt.uses)
				position[requirement.Scheme] = use
				rt.uses = append(rt.uses, schemeUse{Scheme: scheme, header: http.CanonicalHeaderKey(scheme.Param)})
				if c.Meter != nil {
					rt.uses[use].meter = c.Meter.Scheme(scheme.Name)
				}
			}
			compiled.needs = append(compiled.needs, need{use: use, scopes: requirement.Scopes})
			compiled.names = append(compiled.names, scheme.Name)
			all = append(all, requirement.Scopes...)
			if scheme.Bearer != nil {
				bearer = true
				bearerScopes = append(bearerScopes, requirement.Scopes...)
			}
		}
		compiled.names = slices.Clip(compiled.names)
		switch needed := auth.NewScopes(all...); len(needed) {
		case 1:
			compiled.forbidden = "this operation needs the scope " + needed[0]
		default:
			compiled.forbidden = "this operation needs the scopes " + strings.Join(needed, ", ")
		}
		if bearer && len(bearerScopes) > 0 {
			compiled.forbiddenBearer = []string{bearerScope(c.Realm, auth.NewScopes(bearerScopes...))}
		}
		rt.alternatives = append(rt.alternatives, compiled)
	}
	for i := range rt.uses {
		use := &rt.uses[i]
		rt.usesBasic = rt.usesBasic || use.Basic != nil
		rt.usesBearer = rt.usesBearer || use.Bearer != nil
		if use.APIKey != nil && use.In == "query" {
			rt.secretQuery = append(rt.secretQuery, use.Param)
		}
	}
	rt.usesAuthorization = rt.usesBasic || rt.usesBearer
	rt.challenges = challenges(c.Realm, rt.uses, "")
	rt.invalidToken = challenges(c.Realm, rt.uses, bearerInvalidToken)
	if rt.usesBearer {
		rt.invalidRequest = challenges(c.Realm, rt.uses, bearerInvalidRequest)
	}
}

var (
	errNoState  = errors.New("guard: the request has no state: the entry middleware of the server is missing")
	errNoAnswer = errors.New("guard: the handler returned without an answer")
)

// guarded wraps next, so that nothing of it runs before the operation is proven to be open to the caller.
func (rt *route) guarded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		s := StateFrom(c.Request().Context())
		if s == nil {
			return errNoState
		}
		s.route = rt
		if rt.op.Timeout > 0 {
			s.limitTime(c, rt.op.Timeout, rt.clock)
			defer s.endTime()
		}
		if err := rt.admit(c, s); err != nil {
			return err
		}
		answer := next
		if rt.responses != nil {
			answer = func(c echo.Context) error { return rt.checked(c, s, next) }
		}
		if err := answer(c); err != nil {
			return rt.timeoutOf(s, rt.challenged(c.Request(), err))
		}
		if !c.Response().Committed {
			return errNoAnswer
		}
		return nil
	}
}

// challenged adds the challenges of the operation to the 401 of a handler, which learned that the account of a good
// credential is gone. RFC 9110 §15.5.2 demands them of every 401.
func (rt *route) challenged(r *http.Request, err error) error {
	var e *problem.Error
	if !errors.As(err, &e) || e.Kind.Status != http.StatusUnauthorized || e.Challenges != nil {
		return err
	}
	challenged := *e
	challenged.Challenges = rt.challenges
	if parseAuthorization(r.Header.Get("Authorization")).kind == authBearer {
		challenged.Challenges = rt.invalidToken
	}
	return &challenged
}

// admit is the way of a request up to its handler: limits by address, where failures count too, then who is calling,
// then limits by caller, and only then what the request says. Nothing of the body is read before the last step.
func (rt *route) admit(c echo.Context, s *State) error {
	r := c.Request()
	if err := rt.takeAddress(c, s); err != nil {
		return err
	}
	if rt.secretQuery != nil && r.URL.RawQuery != "" {
		s.query = c.QueryParams()
	}
	if rt.op.Denied != "" {
		return problem.OperationDenied.New("this operation is open to nobody")
	}
	if rt.op.OwnOrigin && rt.crossOrigin.Check(r) != nil {
		return problem.CrossOrigin.New("a page of another site made this request: open the page here and send its form")
	}
	if err := rt.authenticateInPlace(c, s); err != nil {
		return err
	}
	if err := rt.takeCaller(c, s); err != nil {
		return err
	}
	body, err := rt.chooseBody(r, s)
	if err != nil {
		return err
	}
	if !rt.acceptable(r.Header["Accept"]) {
		return problem.NotAcceptable.New(rt.produces)
	}
	if body == nil {
		s.bodyRead = true // there is none
		if rt.op.BodyRequired {
			return rt.bodyMissing()
		}
	} else {
		s.body, s.contentType = body, r.Header.Get("Content-Type")
		if body.contentType != nil {
			r.Header["Content-Type"] = body.contentType
		}
		if body.Stream {
			r.Body = &boundedBody{ReadCloser: r.Body, rt: rt, state: s, left: rt.op.MaxBodyBytes}
		}
	}
	return rt.checkParameters(c, s)
}
