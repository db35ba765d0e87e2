package accounts

import (
	"context"

	"example.com/gatehouse/gen/api"
	"example.com/gatehouse/internal/auth"
)

// The operations of whoever has no credential yet, or has lost it.

// RegisterUser takes a registration.
func (h *Handlers) RegisterUser(ctx context.Context, request api.RegisterUserRequestObject) (api.RegisterUserResponseObject, error) {
	var displayName string
	if request.Body.DisplayName != nil {
		displayName = *request.Body.DisplayName
	}
	if err := h.Accounts.Register(ctx, request.Body.Email, auth.Secret(request.Body.Password), displayName); err != nil {
		return nil, err
	}
	return api.RegisterUser202Response{}, nil
}

// RequestVerificationMail sends the mail of a registration again.
func (h *Handlers) RequestVerificationMail(ctx context.Context, request api.RequestVerificationMailRequestObject) (api.RequestVerificationMailResponseObject, error) {
	if err := h.Accounts.RequestVerification(ctx, request.Body.Email); err != nil {
		return nil, err
	}
	return api.RequestVerificationMail202Response{}, nil
}

// VerifyEmail proves the address of a registration.
func (h *Handlers) VerifyEmail(ctx context.Context, request api.VerifyEmailRequestObject) (api.VerifyEmailResponseObject, error) {
	if err := h.Accounts.VerifyEmail(ctx, auth.Secret(request.Body.Token), auth.Secret(request.Body.Password)); err != nil {
		return nil, err
	}
	return api.VerifyEmail204Response{}, nil
}

// RequestPasswordReset sends a mail that sets a new password.
func (h *Handlers) RequestPasswordReset(ctx context.Context, request api.RequestPasswordResetRequestObject) (api.RequestPasswordResetResponseObject, error) {
	if err := h.Accounts.RequestPasswordReset(ctx, request.Body.Email); err != nil {
		return nil, err
	}
	return api.RequestPasswordReset202Response{}, nil
}

// ResetPassword sets a new password with the token of a mail.
func (h *Handlers) ResetPassword(ctx context.Context, request api.ResetPasswordRequestObject) (api.ResetPasswordResponseObject, error) {
	if err := h.Accounts.ResetPassword(ctx, auth.Secret(request.Body.Token), auth.Secret(request.Body.NewPassword)); err != nil {
		return nil, err
	}
	return api.ResetPassword204Response{}, nil
}
