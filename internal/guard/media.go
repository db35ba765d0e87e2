package guard

import (
	"mime"
	"net/http"
	"strconv"
	"strings"

	"example.com/gatehouse/internal/problem"
)

// chooseBody answers 413 and 415 from the header alone, before a byte of the body is read, and returns the row of the
// declared media type, or nil where the request has no body.
func (rt *route) chooseBody(r *http.Request, s *State) (*compiledBody, error) {
	if r.ContentLength == 0 {
		return nil, nil
	}
	if len(rt.bodies) == 0 {
		return nil, rt.takesNoBody
	}
	if r.ContentLength > rt.op.MaxBodyBytes {
		return nil, rt.tooLarge()
	}
	for _, coding := range r.Header["Content-Encoding"] {
		if !strings.EqualFold(coding, "identity") {
			return nil, problem.UnsupportedMediaType.New("send the body without a content coding")
		}
	}
	fields := r.Header["Content-Type"]
	if len(fields) != 1 {
		return nil, problem.UnsupportedMediaType.New(rt.takes)
	}
	for i := range rt.bodies {
		if b := &rt.bodies[i]; b.MediaType == fields[0] && !b.Refused && b.Multipart == nil {
			return &rt.bodies[i], nil
		}
	}
	mediaType, parameters, err := mime.ParseMediaType(fields[0])
	if err != nil {
		return nil, problem.UnsupportedMediaType.New(rt.takes)
	}
	b := rt.bodyOf(mediaType)
	switch charset := parameters["charset"]; {
	case b == nil || b.Refused:
		return nil, problem.UnsupportedMediaType.New(rt.takes)
	case !b.Stream && charset != "" && !strings.EqualFold(charset, "utf-8"):
		// JSON is UTF-8 (RFC 8259 §8.1), and the form that browsers send is too. Another charset would be decoded as if.
		return nil, problem.UnsupportedMediaType.New("send the body in UTF-8")
	case b.Multipart != nil:
		if s.boundary = parameters["boundary"]; s.boundary == "" {
			return nil, problem.BadRequest.New("the Content-Type of a multipart body needs a boundary")
		}
	}
	return b, nil
}

// bodyOf returns the most specific row that holds the media type, which is in lower case.
func (rt *route) bodyOf(mediaType string) (found *compiledBody) {
	for i := range rt.bodies {
		b := &rt.bodies[i]
		if strings.EqualFold(b.MediaType, mediaType) {
			return b
		}
		if b.inRange(mediaType) && (found == nil || len(b.MediaType) > len(found.MediaType)) {
			found = b // every type/* is longer than */*
		}
	}
	return found
}

// compile prepares the field value by which the generated server finds the body: it compares the whole of it. A body that
// the handler reads keeps its own where the document states a range, and nothing else.
func (b *Body) compile() compiledBody {
	switch {
	case b.As != "":
		return compiledBody{Body: b, contentType: []string{b.As}}
	case strings.Contains(b.MediaType, "*"):
		return compiledBody{Body: b}
	}
	return compiledBody{Body: b, contentType: []string{b.MediaType}}
}

// inRange reports whether a declared range such as image/* holds the media type and can be decoded.
func (b *Body) inRange(mediaType string) bool {
	main, found := strings.CutSuffix(strings.ToLower(b.MediaType), "*")
	if main == "*/" {
		main = ""
	}
	if !found || !strings.HasPrefix(mediaType, main) {
		return false
	}
	return b.As != "application/json" || mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}

func (rt *route) tooLarge() error {
	return problem.ContentTooLarge.New("the body may have at most " + strconv.FormatInt(rt.op.MaxBodyBytes, 10) + " bytes")
}

// acceptable reports whether one of the media types that the operation answers with is acceptable (RFC 9110 §12.5.1).
func (rt *route) acceptable(fields []string) bool {
	if len(fields) == 0 || len(rt.op.Produces) == 0 {
		return true
	}
	if len(fields) == 1 && (fields[0] == "*/*" || fields[0] == rt.op.Produces[0]) {
		return true
	}
	accept := strings.Join(fields, ",")
	if strings.Trim(accept, " \t,") == "" {
		return true // an empty field states no preference
	}
	for _, mediaType := range rt.op.Produces {
		if accepts(accept, mediaType) {
			return true
		}
	}
	return false
}

// accepts reports whether the most specific media range that matches mediaType has a weight above zero. Parameters of
// a range other than its weight are passed over: no operation answers with two of one type.
func accepts(accept, mediaType string) bool {
	mainType, _, _ := strings.Cut(mediaType, "/")
	specificity, ok := 0, false
	for accept != "" {
		var element string
		element, accept, _ = strings.Cut(accept, ",")
		mediaRange, parameters, _ := strings.Cut(element, ";")
		mediaRange = strings.Trim(mediaRange, " \t")
		s := 0
		switch {
		case strings.EqualFold(mediaRange, mediaType):
			s = 3
		case len(mediaRange) == len(mainType)+2 && strings.HasSuffix(mediaRange, "/*") && strings.EqualFold(mediaRange[:len(mainType)], mainType):
			s = 2
		case mediaRange == "*/*":
			s = 1
		}
		if s == 0 || s < specificity {
			continue
		}
		wanted := !zeroWeight(parameters)
		if s > specificity {
			specificity, ok = s, wanted
		} else {
			ok = ok || wanted
		}
	}
	return ok
}

func zeroWeight(parameters string) bool {
	for parameters != "" {
		var p string
		p, parameters, _ = strings.Cut(parameters, ";")
		name, value, _ := strings.Cut(strings.Trim(p, " \t"), "=")
		if strings.EqualFold(name, "q") {
			return strings.Trim(value, "0.") == "" && value != ""
		}
	}
	return false
}
