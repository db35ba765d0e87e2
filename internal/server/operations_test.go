package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"example.com/gatehouse/gen/client"
)

// public are the operations that need no credential, and optional those that take none for an anonymous caller. They stand
// here and not only in the document, so that opening one is a change that somebody reads twice.
var (
	public = []string{
		"authorize", "authorizeByForm", "logIn", "decideConsent", "logOut",
		"getJwks", "getAuthorizationServerMetadata", "getOpenidConfiguration", "getLivez", "getReadyz",
		"getOpenapiYaml", "getOpenapiJson", "getDocs", "getDocsFile",
		"registerUser", "requestVerificationMail", "verifyEmail", "requestPasswordReset", "resetPassword",
		"showEmailVerification", "verifyEmailByForm", "showForgottenPassword", "requestPasswordResetByForm", "showPasswordReset", "resetPasswordByForm",
	}
	optional = []string{"getProtectedOptional", "createToken", "revokeToken"}
	// byHandler refuse the anonymous themselves: the form may prove the client, which the guard does not read.
	byHandler = []string{"introspectToken"}
)

// example is a request for an operation, made of the examples of the document.
type example struct {
	id, method, path, target, body, mediaType string
	op                                        *openapi3.Operation
}

func examples(t *testing.T) (list []example) {
	t.Helper()
	d := openapi(t)
	d.operations(func(method, path string, op *openapi3.Operation) {
		e := example{id: op.OperationID, method: method, path: path, target: path, op: op}
		for _, p := range append(slices.Clone(d.Paths.Value(path).Parameters), op.Parameters...) {
			if p.Value.In == "path" {
				e.target = strings.ReplaceAll(e.target, "{"+p.Value.Name+"}", fmt.Sprint(p.Value.Example))
			}
		}
		if op.RequestBody != nil {
			for mediaType, media := range op.RequestBody.Value.Content {
				e.mediaType, e.body = mediaType, encode(t, mediaType, media.Example)
			}
		}
		list = append(list, e)
	})
	if len(list) < 15 {
		t.Fatalf("the document has %d operations: the test would test nothing", len(list))
	}
	return list
}

func encode(t *testing.T, mediaType string, value any) string {
	t.Helper()
	if mediaType == "application/x-www-form-urlencoded" {
		form := url.Values{}
		for name, v := range value.(map[string]any) {
			form.Set(name, fmt.Sprint(v))
		}
		return form.Encode()
	}
	body, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// hasContent reports whether a success of the operation has content.
func (e example) hasContent() bool {
	for status, response := range e.op.Responses.Map() {
		if strings.HasPrefix(status, "2") && len(response.Value.Content) > 0 {
			return true
		}
	}
	return false
}

func (e example) fields(more ...string) []string {
	if e.mediaType != "" {
		more = append(more, "Content-Type", e.mediaType)
	}
	return more
}

// TestNothingIsOpen asks for every operation of the document without a credential, and with one that has no scope.
func TestNothingIsOpen(t *testing.T) {
	s := start(t)
	poor := s.newPerson("poor")
	var open []string
	for _, e := range examples(t) {
		t.Run(e.id, func(t *testing.T) {
			s.clock.pass(time.Minute)
			before := s.handled.Load()
			got := s.send(t, e.method, e.target, e.body, e.fields()...)
			if got.status != 401 {
				open = append(open, e.id)
				return
			}
			if s.handled.Load() != before && !slices.Contains(byHandler, e.id) {
				t.Error("the handler was reached")
			}
			if got := s.send(t, e.method, e.target, e.body, e.fields("X-API-Key", poor.apiKey+"x", "Authorization", "Bearer "+canary)...); got.status != 401 {
				t.Errorf("%d with bad credentials", got.status)
			}
			// The basic operations take no key.
			got = s.send(t, e.method, e.target, e.body, e.fields("X-API-Key", poor.apiKey, "Authorization", basic(poor.name, poor.password))...)
			if want := map[bool][]int{true: {403, 401}, false: {200, 401}}[scoped(e.op)]; !slices.Contains(want, got.status) {
				t.Errorf("%d with credentials that have no scope, want one of %v", got.status, want)
			}
			if scoped(e.op) && s.handled.Load() != before {
				t.Error("the handler was reached")
			}
		})
	}
	want := append(slices.Clone(public), optional...)
	slices.Sort(want)
	slices.Sort(open)
	if diff := cmp.Diff(want, open); diff != "" {
		t.Errorf("operations without a credential (-listed +open):\n%s", diff)
	}
}

func scoped(op *openapi3.Operation) bool {
	for _, alternative := range *op.Security {
		for _, scopes := range alternative {
			if len(scopes) > 0 {
				return true
			}
		}
	}
	return false
}

// takes reports whether the operation has a security scheme.
func takes(op *openapi3.Operation, scheme string) bool {
	return slices.ContainsFunc(*op.Security, func(alternative openapi3.SecurityRequirement) bool {
		_, found := alternative[scheme]
		return found
	})
}

// TestEveryOperationRefuses what no operation takes, for a caller who may do everything.
func TestEveryOperationRefuses(t *testing.T) {
	s := start(t)
	credential := func() []string {
		return []string{"Authorization", "Bearer " + s.token(scope("openid items:read items:write users:read users:write admin")), "X-API-Key", s.apiKey, "Cookie", "api_key=" + s.apiKey}
	}
	for _, e := range examples(t) {
		t.Run(e.id, func(t *testing.T) {
			ask := func(name string, status int, method, target, body string, fields ...string) {
				t.Helper()
				s.clock.pass(time.Minute)
				before := s.handled.Load()
				switch {
				case e.id == "getProtectedBasic":
					fields = append(fields, "Authorization", basic(s.user, s.password))
				case takes(e.op, "client"):
					fields = append(fields, "Authorization", basic(s.clientID, s.clientSecret))
				default:
					fields = append(fields, credential()...)
				}
				got := s.send(t, method, target, body, fields...)
				if got.status != status {
					t.Errorf("%s: %d, want %d: %s", name, got.status, status, got.body)
				}
				if s.handled.Load() != before {
					t.Errorf("%s: the handler was reached", name)
				}
			}
			if e.hasContent() { // no content is acceptable to all
				ask("an Accept that it cannot serve", 406, e.method, e.target, e.body, e.fields("Accept", "application/x-"+canary)...)
				ask("an Accept that excludes everything", 406, e.method, e.target, e.body, e.fields("Accept", "*/*;q=0")...)
			}
			if e.op.Extensions["x-unknown-parameters"] != "ignore" { // RFC 6749 §3.2 ignores unknown parameters
				ask("an unknown query parameter", 422, e.method, e.target+"?admin="+canary, e.body, e.fields()...)
			}
			ask("a query that is no query", 400, e.method, e.target+"?"+canary+"=%zz", e.body, e.fields()...)
			ask("a query with a semicolon", 400, e.method, e.target+"?a=1;b="+canary, e.body, e.fields()...)
			ask("a method that the path does not have", 405, "LOCK", e.target, "")
			ask("TRACE", 405, "TRACE", e.target, "")
			if e.mediaType == "" {
				ask("a body where none is taken", 400, e.method, e.target, `{"a":"`+canary+`"}`, "Content-Type", "application/json")
				return
			}
			ask("a body of another media type", 415, e.method, e.target, e.body, "Content-Type", "text/plain")
			ask("a body without a media type", 415, e.method, e.target, e.body)
			ask("a body of two media types", 415, e.method, e.target, e.body, "Content-Type", e.mediaType, "Content-Type", e.mediaType)
			ask("a body that is too large", 413, e.method, e.target, strings.Repeat(canary, 10_000), "Content-Type", e.mediaType)
			ask("no body", 400, e.method, e.target, "", "Content-Type", e.mediaType)
		})
	}
}

// TestHEADAndOPTIONS: HEAD is GET without the body; OPTIONS tells what a path takes and nothing else.
func TestHEADAndOPTIONS(t *testing.T) {
	s := start(t)
	paths := map[string][]string{}
	for _, e := range examples(t) {
		paths[e.target] = append(paths[e.target], e.method)
		if e.method != "GET" {
			continue
		}
		t.Run("HEAD "+e.id, func(t *testing.T) {
			fields := []string{"Authorization", "Bearer " + s.token()}
			get, head := s.send(t, "GET", e.target, "", fields...), s.send(t, "HEAD", e.target, "", fields...)
			if head.status != get.status || len(head.body) != 0 || head.header.Get("Content-Type") != get.header.Get("Content-Type") {
				t.Errorf("HEAD %d %s with %d bytes, GET %d %s", head.status, head.header.Get("Content-Type"), len(head.body), get.status, get.header.Get("Content-Type"))
			}
		})
	}
	for path, methods := range paths {
		t.Run("OPTIONS "+path, func(t *testing.T) {
			got := s.send(t, "OPTIONS", path, "", "Origin", "https://evil.example", "Access-Control-Request-Method", "DELETE")
			allow := strings.Split(strings.ReplaceAll(got.header.Get("Allow"), " ", ""), ",")
			if slices.Contains(methods, "GET") {
				methods = append(methods, "HEAD")
			}
			methods = append(methods, "OPTIONS")
			slices.Sort(allow)
			slices.Sort(methods)
			if got.status != 204 || !slices.Equal(allow, methods) {
				t.Errorf("%d, Allow %v, want %v", got.status, allow, methods)
			}
		})
	}
}

// TestTheClientHasEveryOperation compares names: oapi-codegen leaves out what it cannot write, without a word.
func TestTheClientHasEveryOperation(t *testing.T) {
	var _ client.ClientWithResponsesInterface = (*client.ClientWithResponses)(nil)
	methods := reflect.TypeFor[client.ClientWithResponsesInterface]()
	for _, e := range examples(t) {
		name := strings.ToUpper(e.id[:1]) + e.id[1:]
		if e.mediaType != "" {
			name += "WithBody"
		}
		if _, found := methods.MethodByName(name + "WithResponse"); !found {
			t.Errorf("the client has no method for %s", e.id)
		}
	}
}

// TestEveryOperationAnswers calls each operation through the generated client as a caller who may. An operation that the
// document gains needs a row.
func TestEveryOperationAnswers(t *testing.T) {
	s := start(t)
	me := bearerAuth(s.token())
	key := field("X-API-Key", s.apiKey)
	login := field("Authorization", basic(s.user, s.password))
	ctx := context.Background()
	item, err := s.api.CreateItemWithResponse(ctx, nil, client.NewItem{Name: "Oak chair", Price: 1}, me)
	if err != nil {
		t.Fatal(err)
	}
	id, any := item.JSON201.Id, "*"
	other, leaver := s.newPerson("other", "users:write"), s.newPerson("leaver", "users:write")
	otherID, otherLogin := uuid.MustParse(other.id), field("Authorization", basic(other.name, other.password))
	admin := field("X-API-Key", s.newPerson("chief", "admin").apiKey)
	openid := bearerAuth(s.token(scope("openid")))
	app := s.newApp(t)
	app.allow(t)
	asked := &client.AuthorizeParams{AuthorizationRequest: &client.AuthorizationRequest{ClientId: &app.id, RedirectUri: &app.redirectURI}}
	type answer interface{ StatusCode() int }
	var mailed string // the token of a mail
	called := map[string]int{}
	for _, row := range []struct {
		id   string
		call func() (answer, error)
	}{
		{"createToken", func() (answer, error) {
			return s.api.CreateTokenWithFormdataBodyWithResponse(ctx, client.TokenRequest{GrantType: client.TokenRequestGrantTypePassword, Username: &s.user, Password: &s.password})
		}},
		{"revokeToken", func() (answer, error) {
			return s.api.RevokeTokenWithFormdataBodyWithResponse(ctx, client.RevocationRequest{Token: "unknown"})
		}},
		{"authorize", func() (answer, error) { return s.api.AuthorizeWithResponse(ctx, asked) }},
		{"authorizeByForm", func() (answer, error) {
			return s.api.AuthorizeByFormWithFormdataBodyWithResponse(ctx, *asked.AuthorizationRequest)
		}},
		{"logIn", func() (answer, error) {
			return s.api.LogInWithFormdataBodyWithResponse(ctx, nil, client.LoginForm{Username: s.user, Password: s.password, Request: app.query()})
		}},
		{"decideConsent", func() (answer, error) {
			return s.api.DecideConsentWithFormdataBodyWithResponse(ctx, nil, client.ConsentForm{Decision: client.ConsentFormDecisionDeny, Request: app.query()}, app.cookie)
		}},
		{"logOut", func() (answer, error) {
			return s.api.LogOutWithFormdataBodyWithResponse(ctx, nil, client.LogoutForm{Request: app.query()})
		}},
		{"getUserinfo", func() (answer, error) { return s.api.GetUserinfoWithResponse(ctx, openid) }},
		{"postUserinfo", func() (answer, error) { return s.api.PostUserinfoWithResponse(ctx, openid) }},
		{"getAuthorizationServerMetadata", func() (answer, error) { return s.api.GetAuthorizationServerMetadataWithResponse(ctx) }},
		{"getOpenidConfiguration", func() (answer, error) { return s.api.GetOpenidConfigurationWithResponse(ctx) }},
		{"listConsents", func() (answer, error) { return s.api.ListConsentsWithResponse(ctx, me) }},
		{"withdrawConsent", func() (answer, error) {
			return s.api.WithdrawConsentWithResponse(ctx, uuid.MustParse(app.id), me)
		}},
		{"introspectToken", func() (answer, error) {
			return s.api.IntrospectTokenWithFormdataBodyWithResponse(ctx, client.IntrospectionRequest{Token: s.token()}, field("Authorization", basic(s.clientID, s.clientSecret)))
		}},
		{"createItem", func() (answer, error) {
			return s.api.CreateItemWithResponse(ctx, nil, client.NewItem{Name: "Oak chair", Price: 1}, me)
		}},
		{"getProtectedBearer", func() (answer, error) { return s.api.GetProtectedBearerWithResponse(ctx, me) }},
		{"getJwks", func() (answer, error) { return s.api.GetJwksWithResponse(ctx) }},
		{"getProtected", func() (answer, error) { return s.api.GetProtectedWithResponse(ctx, key) }},
		{"getProtectedBasic", func() (answer, error) { return s.api.GetProtectedBasicWithResponse(ctx, login) }},
		{"getProtectedApiKey", func() (answer, error) { return s.api.GetProtectedApiKeyWithResponse(ctx, key) }},
		{"getProtectedBearerAndApiKey", func() (answer, error) { return s.api.GetProtectedBearerAndApiKeyWithResponse(ctx, me, key) }},
		{"getProtectedOptional", func() (answer, error) { return s.api.GetProtectedOptionalWithResponse(ctx) }},
		{"listItems", func() (answer, error) { return s.api.ListItemsWithResponse(ctx, nil, me) }},
		{"getItem", func() (answer, error) { return s.api.GetItemWithResponse(ctx, id, me) }},
		{"replaceItem", func() (answer, error) {
			return s.api.ReplaceItemWithResponse(ctx, id, &client.ReplaceItemParams{IfMatch: &any}, client.NewItem{Name: "Oak chair", Price: 2}, me)
		}},
		{"patchItem", func() (answer, error) {
			return s.api.PatchItemWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, id, &client.PatchItemParams{IfMatch: &any}, client.ItemPatch{}, me)
		}},
		{"deleteItem", func() (answer, error) {
			return s.api.DeleteItemWithResponse(ctx, id, &client.DeleteItemParams{IfMatch: &any}, me)
		}},
		{"getCurrentUser", func() (answer, error) { return s.api.GetCurrentUserWithResponse(ctx, me) }},
		{"listSessions", func() (answer, error) { return s.api.ListSessionsWithResponse(ctx, me) }},
		{"endSession", func() (answer, error) { return s.api.EndSessionWithResponse(ctx, s.logIn().session, me) }},
		{"endCurrentSession", func() (answer, error) {
			return s.api.EndCurrentSessionWithResponse(ctx, bearerAuth(s.logIn().access))
		}},
		{"endSessions", func() (answer, error) { return s.api.EndSessionsWithResponse(ctx, me) }},
		{"patchCurrentUser", func() (answer, error) {
			return s.api.PatchCurrentUserWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, client.UserPatch{}, me)
		}},
		{"changePassword", func() (answer, error) {
			return s.api.ChangePasswordWithResponse(ctx, client.PasswordChange{CurrentPassword: other.password, NewPassword: "staple battery horse"}, otherLogin)
		}},
		{"deleteCurrentUser", func() (answer, error) {
			return s.api.DeleteCurrentUserWithResponse(ctx, client.AccountDeletion{CurrentPassword: leaver.password}, field("Authorization", basic(leaver.name, leaver.password)))
		}},
		{"listUsers", func() (answer, error) { return s.api.ListUsersWithResponse(ctx, nil, admin) }},
		{"getUser", func() (answer, error) { return s.api.GetUserWithResponse(ctx, otherID, admin) }},
		{"patchUser", func() (answer, error) {
			return s.api.PatchUserWithApplicationMergePatchPlusJSONBodyWithResponse(ctx, otherID, client.ManagedUserPatch{}, admin)
		}},
		{"deleteUser", func() (answer, error) { return s.api.DeleteUserWithResponse(ctx, otherID, admin) }},
		{"registerUser", func() (answer, error) {
			return s.api.RegisterUserWithResponse(ctx, client.Registration{Email: "ann@example.com", Password: s.password})
		}},
		{"requestVerificationMail", func() (answer, error) {
			return s.api.RequestVerificationMailWithResponse(ctx, client.AccountMailRequest{Email: "nobody@example.com"})
		}},
		{"showEmailVerification", func() (answer, error) {
			mailed = s.mailed(1)["ann@example.com"]
			return s.api.ShowEmailVerificationWithResponse(ctx, &client.ShowEmailVerificationParams{Token: mailed})
		}},
		{"verifyEmail", func() (answer, error) {
			return s.api.VerifyEmailWithResponse(ctx, client.EmailVerification{Token: mailed, Password: s.password})
		}},
		{"verifyEmailByForm", func() (answer, error) {
			return s.api.VerifyEmailByFormWithFormdataBodyWithResponse(ctx, client.EmailVerification{Token: s.register(t, "bob@example.com"), Password: goodPassword})
		}},
		{"requestPasswordReset", func() (answer, error) {
			return s.api.RequestPasswordResetWithResponse(ctx, client.AccountMailRequest{Email: "ann@example.com"})
		}},
		{"showPasswordReset", func() (answer, error) {
			mailed = s.mailed(1)["ann@example.com"]
			return s.api.ShowPasswordResetWithResponse(ctx, &client.ShowPasswordResetParams{Token: mailed})
		}},
		{"resetPassword", func() (answer, error) {
			return s.api.ResetPasswordWithResponse(ctx, client.PasswordReset{Token: mailed, NewPassword: "staple battery horse"})
		}},
		{"showForgottenPassword", func() (answer, error) { return s.api.ShowForgottenPasswordWithResponse(ctx) }},
		{"requestPasswordResetByForm", func() (answer, error) {
			s.mailed(1) // that the password was changed
			return s.api.RequestPasswordResetByFormWithFormdataBodyWithResponse(ctx, client.AccountMailRequest{Email: "ann@example.com"})
		}},
		{"resetPasswordByForm", func() (answer, error) {
			return s.api.ResetPasswordByFormWithFormdataBodyWithResponse(ctx, client.PasswordResetForm{Token: s.mailed(1)["ann@example.com"], NewPassword: "battery staple horse"})
		}},
		{"getLivez", func() (answer, error) { return s.api.GetLivezWithResponse(ctx) }},
		{"getReadyz", func() (answer, error) { return s.api.GetReadyzWithResponse(ctx) }},
		{"getOpenapiYaml", func() (answer, error) { return s.api.GetOpenapiYamlWithResponse(ctx) }},
		{"getOpenapiJson", func() (answer, error) { return s.api.GetOpenapiJsonWithResponse(ctx) }},
		{"getDocs", func() (answer, error) { return s.api.GetDocsWithResponse(ctx) }},
		{"getDocsFile", func() (answer, error) { return s.api.GetDocsFileWithResponse(ctx, "swagger-ui.css") }},
	} {
		r, err := row.call()
		if err != nil {
			t.Fatalf("%s: %v", row.id, err)
		}
		called[row.id] = r.StatusCode()
	}
	if r, err := s.api.GetOpenapiYamlWithResponse(ctx); err != nil || r.YAML200 == nil || r.YAML200.Openapi != "3.1.0" {
		t.Errorf("the client does not read the document as YAML: %v", err)
	}
	want := map[string]int{}
	for _, e := range examples(t) {
		want[e.id] = 200
	}
	want["createItem"] = 201
	for _, id := range []string{"authorize", "authorizeByForm", "logIn", "decideConsent", "logOut"} {
		want[id] = 303
	}
	for _, id := range []string{"deleteItem", "endSession", "endCurrentSession", "endSessions", "withdrawConsent"} {
		want[id] = 204
	}
	for _, id := range []string{"deleteItem", "changePassword", "deleteCurrentUser", "deleteUser", "verifyEmail", "resetPassword"} {
		want[id] = 204
	}
	for _, id := range []string{"registerUser", "requestVerificationMail", "requestPasswordReset"} {
		want[id] = 202
	}
	if diff := cmp.Diff(want, called); diff != "" {
		t.Error(diff)
	}
}
