package accounts

import (
	"context"
	"embed"
	"errors"
	"net/http"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/page"
	"example.com/gatehouse/internal/problem"
)

// The pages that the links of mails lead to, and the one that asks for such a mail. They do what the operations with JSON do.
//
// Their forms are taken from pages of other sites too, unlike those of the login (CWE-352): nothing that a browser adds by itself, such as
// a cookie, has a part in what they do, and their answers set none. Whoever has the token of a mail, or the address of an account, can
// send the form without the browser of another, and another site cannot read the answer. What it can borrow is the network address of its
// visitors, for the limits that count by it: mails to an account are counted whoever asks, too.

//go:embed pages/*.html
var pages embed.FS

var (
	verifyPage  = parse("Confirm your address", "verify")
	resetPage   = parse("Set a new password", "reset")
	forgotPage  = parse("Forgotten password", "forgot")
	messagePage = parse("{{.Heading}}", "message")
)

// parse returns a page of pages/. One that is not there is a mistake in this package.
func parse(title, name string) *page.Page {
	content, err := pages.ReadFile("pages/" + name + ".html")
	if err != nil {
		panic("accounts: " + err.Error())
	}
	return page.New(title, string(content))
}

// tokenForm is what the pages with a token show.
type tokenForm struct {
	Token string
	// Wrong is what is wrong with what was sent before.
	Wrong string
}

// message is a page without a form.
type message struct {
	Heading, Text string
	// AskAgain leads to the page that asks for another mail.
	AskAgain bool
}

var (
	deadVerification = message{Heading: "This link is good no longer", Text: "It was used, or is older than a day, or a newer one has been sent. If the address is confirmed, log in. If not, register again with the same address: another mail is sent."}
	deadReset        = message{Heading: "This link is good no longer", Text: "It was used, or is older than ten minutes, or a newer one has been sent.", AskAgain: true}
	verified         = message{Heading: "Your address is confirmed", Text: "You can close this page, go back to where you registered, and log in."}
	passwordSet      = message{Heading: "Your password is set", Text: "All logins of before have ended. You can close this page, and log in with the new password."}
	mailSent         = message{Heading: "Look into your mail", Text: "If the address has an account, a mail with a link is on its way. The link is good for ten minutes. If nothing comes, look for it among the unwanted mail, or try the address that you registered with."}
)

// ShowEmailVerification shows the form of a link. Mail servers follow links too, so that nothing happens before the form is sent.
func (h *Handlers) ShowEmailVerification(ctx context.Context, request api.ShowEmailVerificationRequestObject) (api.ShowEmailVerificationResponseObject, error) {
	if _, _, err := h.Accounts.holder(ctx, verifyEmail, auth.Secret(request.Params.Token)); err != nil {
		return deadLink(err, deadVerification)
	}
	return show(http.StatusOK, verifyPage, tokenForm{Token: request.Params.Token})
}

// VerifyEmailByForm proves the address of a registration.
func (h *Handlers) VerifyEmailByForm(ctx context.Context, request api.VerifyEmailByFormRequestObject) (api.VerifyEmailByFormResponseObject, error) {
	form := request.Body
	if form == nil {
		return nil, problem.BadRequest.New("the request has no form")
	}
	err := h.Accounts.VerifyEmail(ctx, auth.Secret(form.Token), auth.Secret(form.Password))
	if errors.Is(err, errOtherPassword) {
		return show(http.StatusForbidden, verifyPage, tokenForm{form.Token, "The password is not the one of the registration."})
	}
	if err != nil {
		return deadLink(err, deadVerification)
	}
	return verified.show(http.StatusOK)
}

// ShowPasswordReset shows the form of a link.
func (h *Handlers) ShowPasswordReset(ctx context.Context, request api.ShowPasswordResetRequestObject) (api.ShowPasswordResetResponseObject, error) {
	if _, _, err := h.Accounts.holder(ctx, resetPassword, auth.Secret(request.Params.Token)); err != nil {
		return deadLink(err, deadReset)
	}
	return show(http.StatusOK, resetPage, tokenForm{Token: request.Params.Token})
}

// ResetPasswordByForm sets a new password. One that is refused uses nothing up.
func (h *Handlers) ResetPasswordByForm(ctx context.Context, request api.ResetPasswordByFormRequestObject) (api.ResetPasswordByFormResponseObject, error) {
	form := request.Body
	if form == nil {
		return nil, problem.BadRequest.New("the request has no form")
	}
	err := h.Accounts.ResetPassword(ctx, auth.Secret(form.Token), auth.Secret(form.NewPassword))
	var refused *problem.Error
	if problem.ValidationFailed.Is(err) && errors.As(err, &refused) {
		wrong := "The password " + refused.Violations[0].Detail + "."
		return show(http.StatusUnprocessableEntity, resetPage, tokenForm{form.Token, wrong})
	}
	if err != nil {
		return deadLink(err, deadReset)
	}
	return passwordSet.show(http.StatusOK)
}

// ShowForgottenPassword shows the form that asks for a mail.
func (h *Handlers) ShowForgottenPassword(context.Context, api.ShowForgottenPasswordRequestObject) (api.ShowForgottenPasswordResponseObject, error) {
	if err := h.Accounts.sendsMail(); err != nil {
		return nil, err
	}
	return show(http.StatusOK, forgotPage, nil)
}

// RequestPasswordResetByForm sends a mail that sets a new password. The answer is the same for every address.
func (h *Handlers) RequestPasswordResetByForm(ctx context.Context, request api.RequestPasswordResetByFormRequestObject) (api.RequestPasswordResetByFormResponseObject, error) {
	if request.Body == nil {
		return nil, problem.BadRequest.New("the request has no form")
	}
	if err := h.Accounts.RequestPasswordReset(ctx, request.Body.Email); err != nil {
		return nil, err
	}
	return mailSent.show(http.StatusOK)
}

// deadLink shows m where the token is not good. Any other error stays what it is.
func deadLink(err error, m message) (shown, error) {
	if !InvalidToken.Is(err) {
		return shown{}, err
	}
	return m.show(http.StatusBadRequest)
}

func (m message) show(status int) (shown, error) { return show(status, messagePage, m) }

// show renders a page.
func show(status int, p *page.Page, data any) (shown, error) {
	body, err := p.Render(data)
	return shown{status, body}, err
}

// shown is the answer with a page.
type shown struct {
	status int
	body   []byte
}

func (s shown) VisitShowEmailVerificationResponse(w http.ResponseWriter) error { return s.write(w) }
func (s shown) VisitVerifyEmailByFormResponse(w http.ResponseWriter) error     { return s.write(w) }
func (s shown) VisitShowPasswordResetResponse(w http.ResponseWriter) error     { return s.write(w) }
func (s shown) VisitResetPasswordByFormResponse(w http.ResponseWriter) error   { return s.write(w) }
func (s shown) VisitShowForgottenPasswordResponse(w http.ResponseWriter) error { return s.write(w) }
func (s shown) VisitRequestPasswordResetByFormResponse(w http.ResponseWriter) error {
	return s.write(w)
}

func (s shown) write(w http.ResponseWriter) error {
	return page.Write(w, s.status, page.Policy("'self'"), s.body)
}
