package oauth

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"time"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/session"
	"example.com/gatehouse/internal/sqldb"
)

// Browser is the client id of the logins on our own pages. It is no client: nothing asks for tokens in its name.
const Browser = "browser"

// loginLifetime is how long a browser is logged in on our pages: a working day, since shared machines are left behind.
const loginLifetime = 12 * time.Hour

// loginCookie is the name of the cookie. Browsers take one with this prefix only with Secure, from us, for all of this host and
// for no other.
const loginCookie = "__Host-login"

// deviceCookie is the name of the cookie that says where somebody has logged in before.
const deviceCookie = "__Host-device"

// login is a browser that is logged in on our pages.
type login struct {
	session.Session
	user *auth.Principal
}

// login returns who is logged in, nil where nobody is.
func (h *Handlers) login(ctx context.Context, cookie *string) (*login, error) {
	found, err := h.loginSession(ctx, cookie)
	if found == nil {
		return nil, err
	}
	user, err := h.Users.Principal(ctx, found.UserID)
	if errors.Is(err, auth.ErrInvalidCredential) {
		return nil, nil
	}
	return &login{*found, user}, err
}

func (h *Handlers) loginSession(ctx context.Context, cookie *string) (*session.Session, error) {
	if cookie == nil {
		return nil, nil
	}
	id, _, ours := h.loginTokens().read(*cookie)
	if !ours {
		return nil, nil
	}
	found, err := h.Sessions.Find(ctx, id)
	if errors.Is(err, sqldb.ErrNotFound) || err == nil && found.ClientID != Browser {
		return nil, nil
	}
	return &found, err
}

// loginTokens are what the cookie holds: made as refresh tokens are, with a key of their own, so that none passes for the other.
func (h *Handlers) loginTokens() sessionTokens { return sessionTokens{"ls_", h.LoginKey} }

// LogIn takes the form of the login page. Each login is a session of its own, and the one before ends: who planted its cookie gains
// nothing (ASVS 5.0 7.2.4).
func (h *Handlers) LogIn(ctx context.Context, request api.LogInRequestObject) (api.LogInResponseObject, error) {
	form := request.Body
	if form == nil {
		return nil, InvalidRequest.New("the request has no form")
	}
	a, refused, err := h.carried(ctx, form.Request)
	if err != nil {
		return nil, err
	}
	if refused != nil {
		return h.refuse(a, refused), nil
	}
	var device auth.Secret
	if request.Params.DeviceCookie != nil {
		device = auth.Secret(*request.Params.DeviceCookie)
	}
	user, err := h.authenticate(ctx, auth.Basic{Username: form.Username, Password: auth.Secret(form.Password)}, device)
	if InvalidGrant.Is(err) {
		return h.loginPage(a, loginForm{Username: form.Username, Wrong: "The name or the password is wrong."})
	}
	if err != nil {
		return nil, err
	}
	before, err := h.loginSession(ctx, request.Params.LoginCookie)
	if err != nil {
		return nil, err
	}
	begun, err := h.begin(ctx, session.New{UserID: user.Subject, ClientID: Browser, Lifetime: loginLifetime, IssuedAt: user.IssuedAt}, func(tx *sql.Tx) error {
		if before == nil {
			return nil
		}
		return h.Sessions.EndReplaced(ctx, tx, before.ID)
	})
	if err != nil {
		return nil, err
	}
	token, err := h.loginTokens().of(begun)
	if err != nil {
		return nil, err
	}
	// A new one each time: it lasts from the last login on.
	device, lifetime, err := h.Users.NewDevice(form.Username)
	if err != nil {
		return nil, err
	}
	// What asked for this login has got it: asking again would never end.
	a.Prompt, a.MaxAge = without(a.prompts, promptLogin, promptAccount), nil
	return redirect{location: authorizeAt(&a.AuthorizationRequest), cookies: []*http.Cookie{
		cookieOf(loginCookie, token.Reveal(), loginLifetime), cookieOf(deviceCookie, device.Reveal(), lifetime),
	}}, nil
}

// LogOut ends the login of this browser.
func (h *Handlers) LogOut(ctx context.Context, request api.LogOutRequestObject) (api.LogOutResponseObject, error) {
	if request.Body == nil {
		return nil, InvalidRequest.New("the request has no form")
	}
	r, err := parseQuery(request.Body.Request)
	if err != nil {
		return nil, err
	}
	found, err := h.loginSession(ctx, request.Params.LoginCookie)
	if err != nil {
		return nil, err
	}
	if found != nil {
		if err := h.Sessions.End(ctx, found.ID, found.UserID); err != nil && !errors.Is(err, sqldb.ErrNotFound) {
			return nil, err
		}
	}
	return redirect{location: authorizeAt(&r), cookies: []*http.Cookie{cookieOf(loginCookie, "", -time.Second)}}, nil
}

// cookieOf returns a cookie, or removes it where its lifetime is negative: no script reads it, and forms of other sites do not bring it along
// (security.md 51).
func cookieOf(name, value string, lifetime time.Duration) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: int(lifetime / time.Second), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}
