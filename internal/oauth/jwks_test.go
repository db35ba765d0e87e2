package oauth

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"example.com/gatehouse/gen/api"
)

func TestTheKeySetHasPublicMembersOnly(t *testing.T) {
	newest, oldest := testKey("key-2"), testKey("key-1")
	keys, err := newKeys([]*key{newest, oldest})
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&TokenHandlers{Keys: keys}).GetJwks(context.Background(), api.GetJwksRequestObject{})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := response.VisitGetJwksResponse(w); err != nil {
		t.Fatal(err)
	}
	if w.Code != 200 || w.Header().Get("Cache-Control") != "public, max-age=300" || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("status %d, header %v", w.Code, w.Header())
	}
	var got any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	member := func(k *key) map[string]any {
		return map[string]any{
			"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": k.id,
			"x": base64.RawURLEncoding.EncodeToString(k.public),
		}
	}
	want := map[string]any{"keys": []any{member(newest), member(oldest)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	seed := base64.RawURLEncoding.EncodeToString(newest.private.Seed())
	if strings.Contains(w.Body.String(), seed) {
		t.Error("the private key is published")
	}
}

// TestAPublishedKeyVerifies takes nothing from the service but the key set, as another service would.
func TestAPublishedKeyVerifies(t *testing.T) {
	h := testHandlers(t, onePassword)
	issued, err := h.CreateToken(context.Background(), form())
	if err != nil {
		t.Fatal(err)
	}
	published, err := h.GetJwks(context.Background(), api.GetJwksRequestObject{})
	if err != nil {
		t.Fatal(err)
	}
	token := issued.(api.CreateToken200JSONResponse).Body.AccessToken
	set := published.(api.GetJwks200JSONResponse).Body
	public, err := base64.RawURLEncoding.DecodeString(set.Keys[0].X)
	if err != nil {
		t.Fatal(err)
	}
	dot := strings.LastIndexByte(token, '.')
	signature, err := base64.RawURLEncoding.DecodeString(token[dot+1:])
	if err != nil {
		t.Fatal(err)
	}
	if decodeObject(t, token[:strings.IndexByte(token, '.')])["kid"] != set.Keys[0].Kid || !ed25519.Verify(public, []byte(token[:dot]), signature) {
		t.Error("the published key does not verify the token")
	}
}
