package oauth

import (
	"context"
	"errors"

	"example.com/gatehouse/internal/auth"
	"example.com/gatehouse/internal/sqldb"
)

// client returns the client that a request to an OAuth operation comes from (RFC 6749 §2.3, §3.2.1): the one that the guard has
// authenticated by its header, the one that the form proves, or the public one that it names. A request uses one of
// them (§2.3).
func (h *TokenHandlers) client(ctx context.Context, id, secret *string) (Client, error) {
	if caller := auth.FromContext(ctx); caller != nil {
		if secret != nil {
			return Client{}, InvalidRequest.New("the client authenticates twice: send the secret in the header or in the form")
		}
		if id != nil && *id != caller.ClientID {
			return Client{}, InvalidRequest.New("client_id is not the client that has authenticated itself")
		}
		return h.known(ctx, caller.ClientID)
	}
	if id == nil && secret != nil {
		return Client{}, InvalidClient.New("client_secret without client_id: send both")
	}
	if secret != nil {
		c, err := h.Clients.prove(ctx, *id, auth.Secret(*secret))
		if errors.Is(err, auth.ErrInvalidCredential) {
			return c, InvalidClient.New("the client is unknown or the secret is not its own")
		}
		return c, err
	}
	name := FirstParty
	if id != nil {
		name = *id
	}
	c, err := h.known(ctx, name)
	if err == nil && c.Confidential() {
		return c, InvalidClient.New("the client must authenticate: send its secret in the header or in the form")
	}
	return c, err
}

func (h *TokenHandlers) known(ctx context.Context, id string) (Client, error) {
	c, err := h.Clients.Find(ctx, id)
	if errors.Is(err, sqldb.ErrNotFound) || err == nil && c.Disabled {
		return c, InvalidClient.New("the client is unknown or disabled")
	}
	return c, err
}
