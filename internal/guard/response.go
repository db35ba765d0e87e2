package guard

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"example.com/gatehouse/internal/problem"
	"example.com/gatehouse/internal/validation"
)

// Response is what an operation may answer with one status.
type Response struct {
	// Status is three digits, a range such as 4XX, or default.
	Status   string
	Headers  []ResponseHeader
	Contents []Content
}

// ResponseHeader is a header field that a response declares. Check is nil where any value will do; else Shape and Explode say
// how the value is written.
type ResponseHeader struct {
	Name     string // as net/http spells it
	Required bool
	Shape    *validation.Shape
	Explode  bool
	Check    func(*validation.Check, *validation.Value)
}

// Content is a media type of a response. At most one of JSON and Text is set; without them any content will do.
type Content struct {
	MediaType string
	JSON      func(*validation.Check, *validation.Value)
	Text      func(*validation.Check, *validation.Value)
}

// maxChecked is how much of a response is held back until it has been checked. What is longer, or flushed before its end,
// is checked without its content: it is a stream.
const maxChecked = 1 << 20

// checked calls the handler and holds back its answer until it has been compared with the document: a member that a handler
// did not mean to send is data that leaves the service (API3:2023). An answer that the document does not declare becomes a
// 500, and the log says what is wrong with it.
func (rt *route) checked(c echo.Context, s *State, next echo.HandlerFunc) error {
	response := c.Response()
	held := &heldResponse{ResponseWriter: response.Writer, rt: rt, header: response.Header().Clone(), head: c.Request().Method == http.MethodHead}
	response.Writer = held
	// What is held back has not been answered: an error, or a panic, still can be.
	defer func() { response.Writer, response.Committed = held.ResponseWriter, held.sent }()
	if err := next(c); err != nil {
		return rt.checkedError(s, err)
	}
	if !response.Committed {
		return errNoAnswer
	}
	if held.fault == nil && !held.streams {
		held.fault = rt.judge(held.status, held.header, held.ResponseWriter.Header(), held.body, !held.head)
	}
	if held.fault != nil {
		response.Size = 0
		return rt.undeclared(held.fault)
	}
	return held.release()
}

// checkedError compares the problem that a handler returned.
func (rt *route) checkedError(s *State, err error) error {
	var p *problem.Error
	if !errors.As(err, &p) || problem.NotImplemented.Is(err) {
		return err // the entry answers it, and the operation that is not there yet need not declare it
	}
	rendered := &heldResponse{header: http.Header{}}
	if err := p.Write(rendered, s.RequestID, rt.op.Errors); err != nil {
		return err
	}
	// Its header fields are the engine's.
	if fault := rt.judge(rendered.status, rendered.header, rendered.header, rendered.body, true); fault != nil {
		return rt.undeclared(errors.Join(fault, err))
	}
	return err
}

func (rt *route) undeclared(fault error) error {
	return problem.Internal.Wrap(fmt.Errorf("the response of %s is not what the document declares: %w", rt.op.ID, fault), "the service failed: the log has it under request_id")
}

// judge returns what is wrong with an answer. before are the header fields that the engine had set.
func (rt *route) judge(status int, header, before http.Header, body []byte, whole bool) error {
	declared := rt.declared(status)
	if declared == nil {
		return fmt.Errorf("the status %d is not declared", status)
	}
	for name := range header {
		if _, engine := before[name]; !engine && !slices.Contains(negotiated, name) && !slices.ContainsFunc(declared.Headers, func(h ResponseHeader) bool { return h.Name == name }) {
			return fmt.Errorf("the header field %s is not declared for %s", name, declared.Status)
		}
	}
	for _, h := range declared.Headers {
		values := header[h.Name]
		if h.Required && len(values) == 0 {
			return fmt.Errorf("the header field %s is required", h.Name)
		}
		if h.Check != nil {
			style := validation.Style{Name: h.Name, In: "header", Style: "simple", Shape: h.Shape, Explode: h.Explode}
			if err := style.CheckResponse(values, h.Check); err != nil {
				return fmt.Errorf("the header field %s: %w", h.Name, violated(err))
			}
		}
	}
	return declared.judge(header.Get("Content-Type"), body, whole && header["Content-Encoding"] == nil)
}

// negotiated are the fields by which HTTP itself describes the content of a response (RFC 9110 §8 and §12.5.5). No document
// declares them.
var negotiated = []string{"Content-Type", "Content-Length", "Content-Encoding", "Vary"}

// declared is the entry for a status: the nearest, as OpenAPI says.
func (rt *route) declared(status int) *Response {
	exact := strconv.Itoa(status)
	for _, name := range []string{exact, exact[:1] + "XX", "default"} {
		if i := slices.IndexFunc(rt.responses, func(r Response) bool { return strings.EqualFold(r.Status, name) }); i >= 0 {
			return &rt.responses[i]
		}
	}
	return nil
}

func (r *Response) judge(contentType string, body []byte, whole bool) error {
	if len(r.Contents) == 0 {
		if len(body) > 0 || contentType != "" {
			return fmt.Errorf("content is sent with %s, which declares none", r.Status)
		}
		return nil
	}
	mediaType, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return fmt.Errorf("the content of %s has no media type", r.Status)
	}
	i := slices.IndexFunc(r.Contents, func(c Content) bool { return c.takes(mediaType) })
	if i < 0 {
		return fmt.Errorf("the media type %s is not declared for %s", mediaType, r.Status)
	}
	if !whole {
		return nil
	}
	switch c := r.Contents[i]; {
	case c.JSON != nil:
		return violated(validation.CheckResponse(body, c.JSON))
	case c.Text != nil:
		return violated(validation.CheckTextResponse(body, c.Text))
	}
	return nil
}

// takes reports whether the declared media type, which may be a range, stands for one that was sent.
func (c *Content) takes(mediaType string) bool {
	declared, _, _ := strings.Cut(c.MediaType, ";")
	declared = strings.TrimSpace(declared)
	family, isRange := strings.CutSuffix(declared, "*")
	return declared == mediaType || declared == "*/*" || isRange && strings.HasPrefix(mediaType, family)
}

// violated says the violations of a problem for the log: the text of the problem only counts them.
func violated(err error) error {
	var p *problem.Error
	if !errors.As(err, &p) || len(p.Violations) == 0 {
		return err
	}
	var list []string
	for _, v := range p.Violations {
		list = append(list, fmt.Sprintf("%q (%s) %s", v.Pointer+v.Parameter, v.Keyword, v.Detail))
	}
	return errors.New(strings.Join(list, ", "))
}

// heldResponse keeps the answer of a handler until it has been checked.
type heldResponse struct {
	http.ResponseWriter
	rt      *route
	header  http.Header
	status  int
	body    []byte
	head    bool
	streams bool // the answer is longer than what is held, or flushed: it goes out as it comes
	sent    bool
	fault   error
}

func (h *heldResponse) Header() http.Header { return h.header }

func (h *heldResponse) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *heldResponse) Write(p []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	switch {
	case h.fault != nil:
		return 0, h.fault
	case h.streams:
		return h.ResponseWriter.Write(p)
	case h.rt != nil && len(h.body)+len(p) > maxChecked:
		if err := h.stream(); err != nil {
			return 0, err
		}
		return h.ResponseWriter.Write(p)
	}
	h.body = append(h.body, p...)
	return len(p), nil
}

// Flush sends what is there, once everything but its content has been checked.
func (h *heldResponse) Flush() {
	h.WriteHeader(http.StatusOK)
	if h.fault == nil && (h.streams || h.stream() == nil) {
		_ = http.NewResponseController(h.ResponseWriter).Flush() // a writer that cannot flush sends later
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (h *heldResponse) Unwrap() http.ResponseWriter { return h.ResponseWriter }

func (h *heldResponse) stream() error {
	h.streams = true
	if h.fault = h.rt.judge(h.status, h.header, h.ResponseWriter.Header(), h.body, false); h.fault != nil {
		return h.fault
	}
	return h.send()
}

// release sends what is held.
func (h *heldResponse) release() error {
	if h.streams {
		return nil
	}
	return h.send()
}

func (h *heldResponse) send() error {
	h.sent = true
	header := h.ResponseWriter.Header()
	clear(header)
	for name, values := range h.header {
		header[name] = values
	}
	h.ResponseWriter.WriteHeader(h.status)
	_, err := h.ResponseWriter.Write(h.body)
	return err
}
