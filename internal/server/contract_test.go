package server_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// document is openapi.yaml, read by a library that the service does not use.
type document struct{ *openapi3.T }

var loadDocument = sync.OnceValues(func() (*openapi3.T, error) { return openapi3.NewLoader().LoadFromFile("../../openapi.yaml") })

func openapi(t *testing.T) document {
	t.Helper()
	doc, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	return document{doc}
}

// operations calls f for each operation, in a stable order.
func (d document) operations(f func(method, path string, op *openapi3.Operation)) {
	for _, path := range d.Paths.Keys() {
		operations := d.Paths.Value(path).Operations()
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			if op := operations[method]; op != nil {
				f(method, path, op)
			}
		}
	}
}

// find returns the operation of a request, or nil where the document has none.
func (d document) find(method, path string) (found *openapi3.Operation) {
	if method == http.MethodHead {
		method = http.MethodGet // RFC 9110 §9.3.2
	}
	d.operations(func(m, template string, op *openapi3.Operation) {
		if m == method && matches(template, path) && (found == nil || template == path) {
			found = op
		}
	})
	return found
}

func matches(template, path string) bool {
	t, p := strings.Split(template, "/"), strings.Split(path, "/")
	return slices.EqualFunc(t, p, func(t, p string) bool { return strings.HasPrefix(t, "{") || t == p })
}

// contract is a transport that holds every response against the document.
type contract struct {
	service  *service
	document document
	next     http.RoundTripper
}

func (c *contract) RoundTrip(r *http.Request) (*http.Response, error) {
	var sent []byte
	if r.Body != nil && r.Header.Get("Content-Type") == "application/x-www-form-urlencoded" {
		sent, _ = io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(sent))
	}
	if r.GetBody != nil && strings.HasSuffix(r.Header.Get("Content-Type"), "json") { // not a body that is made while it is sent
		if body, err := r.GetBody(); err == nil {
			sent, _ = io.ReadAll(body)
			body.Close()
		}
	}
	response, err := c.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	response.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	c.service.judge(c.document, r, sent, response, body)
	return response, nil
}

// judge fails the test where the response is not what the document promises, or gives something away.
func (s *service) judge(d document, r *http.Request, form []byte, response *http.Response, body []byte) {
	for _, fault := range append(d.check(r, response, body), s.leaks(r, form, response, body)...) {
		s.t.Errorf("%s %.200s answered %d %.500s: %s", r.Method, r.URL, response.StatusCode, body, fault)
	}
}

// leaks returns what of the request a response gives away. Each credential is looked for in the logs, too.
func (s *service) leaks(r *http.Request, form []byte, response *http.Response, body []byte) (faults []string) {
	var text strings.Builder
	for name, values := range response.Header {
		fmt.Fprintln(&text, name, values)
	}
	text.Write(body)
	for _, secret := range credentials(r, form) {
		s.mu.Lock()
		s.secrets[secret] = true
		s.mu.Unlock()
		if strings.Contains(text.String(), secret) {
			faults = append(faults, "the response holds a credential of the request")
		}
	}
	if response.StatusCode >= 400 && strings.Contains(strings.ToLower(text.String()), canary) {
		faults = append(faults, "the refusal holds what was submitted")
	}
	return faults
}

// credentials are the secret texts of a request that are long enough to be told from other text.
func credentials(r *http.Request, form []byte) (list []string) {
	for _, field := range r.Header["Authorization"] {
		_, value, _ := strings.Cut(field, " ")
		list = append(list, strings.TrimSpace(value))
		if pair, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value)); err == nil {
			_, password, _ := strings.Cut(string(pair), ":")
			list = append(list, password)
		}
	}
	list = append(list, r.Header["X-Api-Key"]...)
	for _, c := range r.Cookies() {
		list = append(list, c.Value)
	}
	list = append(list, r.URL.Query()["api_key"]...)
	var members map[string]any
	if json.Unmarshal(form, &members) == nil {
		for _, name := range []string{"password", "current_password", "new_password", "token"} {
			if text, ok := members[name].(string); ok {
				list = append(list, text)
			}
		}
	} else if values, err := url.ParseQuery(string(form)); err == nil {
		list = slices.Concat(list, values["password"], values["new_password"], values["client_secret"], values["client_assertion"], values["code"], values["code_verifier"])
	}
	return slices.DeleteFunc(list, func(s string) bool { return len(s) < 6 })
}

// check returns what is wrong with a response.
func (d document) check(r *http.Request, response *http.Response, body []byte) (faults []string) {
	fault := func(format string, a ...any) { faults = append(faults, fmt.Sprintf(format, a...)) }
	h := response.Header
	for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
		if got := h.Values(name); len(got) != 1 || got[0] != want {
			fault("%s is %q", name, got)
		}
	}
	if policy := h.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none';") || !strings.Contains(policy, "frame-ancestors 'none'") {
		fault("Content-Security-Policy is %q", policy)
	}
	if h.Get("Cache-Control") == "" || response.StatusCode >= 400 && h.Get("Cache-Control") != "no-store" {
		fault("Cache-Control is %q", h.Get("Cache-Control"))
	}
	if len(h.Get("X-Request-Id")) != 32 {
		fault("X-Request-Id is %q", h.Get("X-Request-Id"))
	}
	for _, name := range []string{"Server", "X-Powered-By", "Access-Control-Allow-Credentials"} {
		if h[name] != nil {
			fault("%s is sent", name)
		}
	}
	if origin := h["Access-Control-Allow-Origin"]; origin != nil && (len(origin) > 1 || origin[0] != r.Header.Get("Origin") || origin[0] == "*" || origin[0] == "null") {
		fault("Access-Control-Allow-Origin is %q", origin)
	}
	op := d.find(r.Method, r.URL.EscapedPath())
	switch {
	case op == nil && r.Method == http.MethodOptions && response.StatusCode == http.StatusNoContent:
		if h.Get("Allow") == "" || len(body) > 0 {
			fault("OPTIONS is answered without Allow or with a body")
		}
		return faults
	case op == nil:
		if !slices.Contains([]int{400, 404, 405, 429}, response.StatusCode) {
			fault("no operation has this method and path")
		}
		media := openapi3.NewMediaType().WithSchemaRef(d.Components.Schemas["Problem"])
		faults = append(faults, d.content(r, response, body, openapi3.Content{"application/problem+json": media})...)
	default:
		declared := op.Responses.Status(response.StatusCode)
		if declared == nil {
			fault("%s does not declare the status", op.OperationID)
			return faults
		}
		if h["Set-Cookie"] != nil && declared.Value.Headers["Set-Cookie"] == nil {
			fault("Set-Cookie is sent")
		}
		for name, header := range declared.Value.Headers {
			faults = append(faults, checkHeader(name, header.Value, h)...)
		}
		faults = append(faults, d.content(r, response, body, declared.Value.Content)...)
	}
	return append(faults, checkStatus(op, r, response)...)
}

func checkHeader(name string, header *openapi3.Header, h http.Header) (faults []string) {
	values := h.Values(name)
	if header.Required && len(values) == 0 {
		return []string{name + " is declared as required and missing"}
	}
	for _, text := range values {
		var value any = text
		if header.Schema.Value.Type.Is("integer") {
			n, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return []string{name + " is no number"}
			}
			value = n
		}
		if err := header.Schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation()); err != nil {
			faults = append(faults, name+": "+err.Error())
		}
	}
	return faults
}

// content checks the media type and the body.
func (d document) content(r *http.Request, response *http.Response, body []byte, declared openapi3.Content) []string {
	if len(declared) == 0 {
		if len(body) > 0 || response.Header.Get("Content-Type") != "" {
			return []string{"content is sent where none is declared"}
		}
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if err != nil || declared[mediaType] == nil {
		return []string{"Content-Type is " + response.Header.Get("Content-Type")}
	}
	if r.Method == http.MethodHead {
		if len(body) > 0 {
			return []string{"HEAD is answered with a body"}
		}
		return nil
	}
	if !strings.HasSuffix(mediaType, "json") {
		return nil
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return []string{err.Error()}
	}
	var faults []string
	if err := declared[mediaType].Schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020(), openapi3.EnableFormatValidation()); err != nil {
		faults = append(faults, err.Error())
	}
	if mediaType == "application/problem+json" {
		p := value.(map[string]any)
		id := response.Header.Get("X-Request-Id")
		if p["status"] != float64(response.StatusCode) || p["request_id"] != id || p["instance"] != "urn:gatehouse:request:"+id {
			faults = append(faults, "status, request_id or instance are not those of the response")
		}
	}
	return faults
}

// checkStatus demands the header fields that belong to a status, whatever the document says of them.
func checkStatus(op *openapi3.Operation, r *http.Request, response *http.Response) (faults []string) {
	h := response.Header
	oauth := op != nil && op.Extensions["x-problem-format"] == "oauth"
	switch response.StatusCode {
	case http.StatusUnauthorized: // RFC 9110 §15.5.2; RFC 6749 §5.2 where the client tried the Authorization field
		if h.Get("WWW-Authenticate") == "" && (!oauth || r.Header["Authorization"] != nil) {
			faults = append(faults, "401 without a challenge")
		}
	case http.StatusMethodNotAllowed: // RFC 9110 §15.5.6
		if h.Get("Allow") == "" {
			faults = append(faults, "405 without Allow")
		}
	case http.StatusTooManyRequests:
		for _, name := range []string{"Retry-After", "RateLimit", "RateLimit-Policy"} {
			if h.Get(name) == "" {
				faults = append(faults, "429 without "+name)
			}
		}
	case http.StatusServiceUnavailable:
		if op == nil || op.OperationID != "getReadyz" {
			if h.Get("Retry-After") == "" {
				faults = append(faults, "503 without Retry-After")
			}
		}
	}
	return faults
}
