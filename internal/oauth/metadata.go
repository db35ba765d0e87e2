package oauth

import (
	"context"
	"fmt"
	"time"

	"example.com/gatehouse/gen/api"
)

// GetAuthorizationServerMetadata says where and how tokens are issued, RFC 8414.
func (h *Handlers) GetAuthorizationServerMetadata(context.Context, api.GetAuthorizationServerMetadataRequestObject) (api.GetAuthorizationServerMetadataResponseObject, error) {
	return api.GetAuthorizationServerMetadata200JSONResponse{
		Body: h.metadata(), Headers: api.GetAuthorizationServerMetadata200ResponseHeaders{CacheControl: metadataCache()},
	}, nil
}

// GetOpenidConfiguration says the same at the address of OpenID Connect Discovery.
func (h *Handlers) GetOpenidConfiguration(context.Context, api.GetOpenidConfigurationRequestObject) (api.GetOpenidConfigurationResponseObject, error) {
	return api.GetOpenidConfiguration200JSONResponse{
		Body: h.metadata(), Headers: api.GetOpenidConfiguration200ResponseHeaders{CacheControl: metadataCache()},
	}, nil
}

// metadataCache lets the metadata be kept as long as the key set, whose algorithms it names.
func metadataCache() string { return fmt.Sprintf("public, max-age=%d", jwksMaxAge/time.Second) }

// metadata lists what works, and nothing else (security.md 54).
func (h *Handlers) metadata() api.AuthorizationServerMetadata {
	issuer := h.Signer.Issuer
	grants := []string{GrantAuthorizationCode, GrantRefreshToken, GrantClientCredentials}
	if h.PasswordGrant {
		grants = append(grants, GrantPassword)
	}
	methods := []string{"client_secret_basic", "client_secret_post", MethodPrivateKeyJWT}
	public := append([]string{MethodNone}, methods...)
	var algorithms []string // of assertions
	for _, a := range Algorithms() {
		algorithms = append(algorithms, string(a))
	}
	return api.AuthorizationServerMetadata{
		Issuer:                            issuer,
		AuthorizationEndpoint:             issuer + "/authorize",
		TokenEndpoint:                     issuer + "/token",
		RevocationEndpoint:                issuer + "/revoke",
		IntrospectionEndpoint:             issuer + "/introspect",
		UserinfoEndpoint:                  issuer + "/userinfo",
		JwksUri:                           issuer + "/.well-known/jwks.json",
		ScopesSupported:                   h.DeclaredScopes,
		ResponseTypesSupported:            []string{"code"},
		ResponseModesSupported:            []string{"query"},
		GrantTypesSupported:               grants,
		TokenEndpointAuthMethodsSupported: public,
		TokenEndpointAuthSigningAlgValuesSupported:         algorithms,
		RevocationEndpointAuthMethodsSupported:             public,
		RevocationEndpointAuthSigningAlgValuesSupported:    algorithms,
		IntrospectionEndpointAuthMethodsSupported:          methods,
		IntrospectionEndpointAuthSigningAlgValuesSupported: algorithms,
		CodeChallengeMethodsSupported:                      []string{"S256"},
		AuthorizationResponseIssParameterSupported:         true,
		SubjectTypesSupported:                              []string{"public"},
		IdTokenSigningAlgValuesSupported:                   h.Keys.algorithms(h.Sessions.Now()),
		PromptValuesSupported:                              prompts,
		ClaimsSupported: []string{"sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid",
			"preferred_username", "name", "email", "email_verified"},
	}
}
