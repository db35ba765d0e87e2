package oauth

import (
	"context"
	"fmt"
	"time"

	"example.com/gatehouse/gen/api"
)

// GetJwks publishes the public half of every key in force (RFC 7517, RFC 8037 §2).
func (h *Handlers) GetJwks(context.Context, api.GetJwksRequestObject) (api.GetJwksResponseObject, error) {
	published := h.Keys.load().published
	if len(published) == 0 {
		// Never an empty set with a 200, which a verifier would keep and refuse every token by.
		return nil, noSigningKey()
	}
	return api.GetJwks200JSONResponse{
		Body:    api.JsonWebKeySet{Keys: published},
		Headers: api.GetJwks200ResponseHeaders{CacheControl: fmt.Sprintf("public, max-age=%d", jwksMaxAge/time.Second)},
	}, nil
}
