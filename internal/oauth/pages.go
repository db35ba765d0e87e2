package oauth

import (
	"context"
	_ "embed"
	"net/http"
	"slices"
	"strings"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/page"
)

//go:embed pages/login.html
var loginContent string

//go:embed pages/consent.html
var consentContent string

var (
	loginPage   = page.New("Log in", loginContent)
	consentPage = page.New("Allow access", consentContent)
)

// loginForm is what the login page shows.
type loginForm struct {
	// Client is who asks, Request what goes on afterwards.
	Client, Request string
	Username        string
	// Wrong is what is wrong with what was sent before.
	Wrong string
	// Forgot links to the page for who has forgotten the password.
	Forgot bool
}

// loginPage asks for a name and a password. It is 403 where those that were sent are wrong: they are no HTTP credential,
// which a 401 would ask for.
func (h *Handlers) loginPage(a *authorization, form loginForm) (shown, error) {
	form.Client, form.Request, form.Forgot = a.client.Name, query(&a.AuthorizationRequest), h.SendsMail
	s, err := show(a, loginPage, form)
	if form.Wrong != "" {
		s.status = http.StatusForbidden
	}
	return s, err
}

// consentForm is what the consent page shows.
type consentForm struct {
	Client, Request string
	Username        string
	// Target is where the browser goes.
	Target string
	// Scopes are what the client would get, in the words of the document.
	Scopes []string
}

func (h *Handlers) consentPage(ctx context.Context, a *authorization, login *login, granted auth.Scopes) (shown, error) {
	username, err := h.Users.Username(ctx, login.UserID)
	if err != nil {
		return shown{}, err
	}
	form := consentForm{Client: a.client.Name, Request: query(&a.AuthorizationRequest), Username: username, Target: a.formTarget()}
	for _, s := range granted {
		text := h.ScopeDescriptions[s]
		if text == "" {
			text = s
		}
		form.Scopes = append(form.Scopes, text)
	}
	return show(a, consentPage, form)
}

// show renders a page with forms, whose redirects may end at the client.
func show(a *authorization, p *page.Page, data any) (shown, error) {
	body, err := p.Render(data)
	return shown{status: http.StatusOK, body: body, policy: page.Policy("'self'", a.formTarget())}, err
}

// shown is the answer with a page.
type shown struct {
	status int
	body   []byte
	policy string
}

func (s shown) VisitAuthorizeResponse(w http.ResponseWriter) error { return s.write(w) }
func (s shown) VisitLogInResponse(w http.ResponseWriter) error     { return s.write(w) }

func (s shown) write(w http.ResponseWriter) error { return page.Write(w, s.status, s.policy, s.body) }

// redirect sends the browser elsewhere. It is 303 and never 307: the form that was sent must not go along, which held a
// password (RFC 9700 §4.12).
type redirect struct {
	location string
	cookies  []*http.Cookie
}

func (r redirect) VisitAuthorizeResponse(w http.ResponseWriter) error       { return r.write(w) }
func (r redirect) VisitAuthorizeByFormResponse(w http.ResponseWriter) error { return r.write(w) }
func (r redirect) VisitLogInResponse(w http.ResponseWriter) error           { return r.write(w) }
func (r redirect) VisitLogOutResponse(w http.ResponseWriter) error          { return r.write(w) }
func (r redirect) VisitDecideConsentResponse(w http.ResponseWriter) error   { return r.write(w) }

func (r redirect) write(w http.ResponseWriter) error {
	for _, c := range r.cookies {
		http.SetCookie(w, c)
	}
	w.Header().Set("Location", r.location)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// without returns the values but some, nil where none is left.
func without(values []string, some ...string) *string {
	left := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return slices.Contains(some, v) })
	if len(left) == 0 {
		return nil
	}
	text := strings.Join(left, " ")
	return &text
}
