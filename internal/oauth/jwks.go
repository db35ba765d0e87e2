package oauth

import (
	"context"
	"encoding/base64"

	"example.com/gatehouse/gen/api"
)

// jwksCacheControl is how long a verifier may keep the keys: as long as a new key will be published before it signs.
const jwksCacheControl = "public, max-age=300"

// GetJwks publishes the public half of every key in force (RFC 7517, RFC 8037 §2). It is never empty.
func (h *TokenHandlers) GetJwks(context.Context, api.GetJwksRequestObject) (api.GetJwksResponseObject, error) {
	set := api.JsonWebKeySet{Keys: make([]api.JsonWebKey, 0, len(h.Keys.newestFirst))}
	for _, k := range h.Keys.newestFirst {
		set.Keys = append(set.Keys, api.JsonWebKey{
			Kty: api.JsonWebKeyKtyOKP,
			Crv: api.JsonWebKeyCrvEd25519,
			Use: api.JsonWebKeyUseSig,
			Alg: api.JsonWebKeyAlgEdDSA,
			Kid: k.id,
			X:   base64.RawURLEncoding.EncodeToString(k.public),
		})
	}
	return api.GetJwks200JSONResponse{
		Body:    set,
		Headers: api.GetJwks200ResponseHeaders{CacheControl: jwksCacheControl},
	}, nil
}
