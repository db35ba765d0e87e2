package oauth

import (
	"context"
	"errors"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
)

// clientForm is what a form says of the client that sends it.
type clientForm struct {
	id, secret *string
	// assertion is a JWT that the client has signed. The document demands its type beside it, and knows one type.
	assertion *string
}

// client returns the client that a request to an OAuth operation comes from (RFC 6749 §2.3, §3.2.1): the one that the guard has
// authenticated by its header, the one that the form proves, or the public one that it names. A request uses one of
// them (§2.3).
func (h *Handlers) client(ctx context.Context, form clientForm) (Client, error) {
	caller := auth.FromContext(ctx)
	if caller != nil && (form.secret != nil || form.assertion != nil) || form.secret != nil && form.assertion != nil {
		return Client{}, InvalidRequest.New("the client authenticates twice: send the header, client_secret or client_assertion")
	}
	switch {
	case form.assertion != nil:
		return h.asserted(ctx, form)
	case caller != nil && form.id != nil && *form.id != caller.ClientID:
		return Client{}, InvalidRequest.New("client_id is not the client that has authenticated itself")
	case caller != nil:
		return h.known(ctx, caller.ClientID)
	case form.id == nil && form.secret != nil:
		return Client{}, InvalidClient.New("client_secret without client_id: send both")
	case form.secret != nil:
		c, err := h.Clients.prove(ctx, *form.id, auth.Secret(*form.secret))
		if errors.Is(err, auth.ErrInvalidCredential) {
			return c, InvalidClient.New("the client is unknown or the secret is not its own")
		}
		return c, err
	}
	name := FirstParty
	if form.id != nil {
		name = *form.id
	}
	c, err := h.known(ctx, name)
	if err == nil && c.Confidential() {
		return c, InvalidClient.New("the client must authenticate: send its secret in the header or in the form, or an assertion")
	}
	return c, err
}

// asserted returns the client that has signed an assertion. Who guesses learns nothing: the answer is the same for each reason.
func (h *Handlers) asserted(ctx context.Context, form clientForm) (Client, error) {
	c, err := assertions{h.Clients, audiences(h.Signer.Issuer)}.prove(ctx, form.id, auth.Secret(*form.assertion))
	if errors.Is(err, auth.ErrInvalidCredential) {
		return Client{}, InvalidClient.Wrap(err, "the assertion is not good: sign another one")
	}
	return c, err
}

func (h *Handlers) known(ctx context.Context, id string) (Client, error) {
	c, err := h.Clients.Find(ctx, id)
	if errors.Is(err, sqldb.ErrNotFound) || err == nil && c.Disabled {
		return c, InvalidClient.New("the client is unknown or disabled")
	}
	return c, err
}
