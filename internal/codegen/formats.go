package codegen

import (
	"slices"
	"strconv"
	"strings"

	"example.com/gatehouse/internal/validation"
)

// numericFormats say which numbers are accepted, and are the size of the Go type.
var numericFormats = map[string]bool{"int8": true, "int16": true, "int32": true, "int64": true, "uint": true, "uint8": true, "uint16": true, "uint32": true, "uint64": true, "float": true, "double": true}

// textFormats maps the formats of strings to the function of package validation that enforces them.
var textFormats = map[string]string{
	"date": "DateText", "date-time": "DateTime", "time": "Time", "duration": "Duration",
	"email": "Email", "idn-email": "IDNEmail", "hostname": "Hostname", "idn-hostname": "IDNHostname",
	"ipv4": "IPv4", "ipv6": "IPv6", "uri": "URI", "uri-reference": "URIReference", "iri": "IRI", "iri-reference": "IRIReference", "uri-template": "URITemplate",
	"uuid": "UUID", "byte": "Base64", "regex": "Regex", "json-pointer": "JSONPointer", "relative-json-pointer": "RelativeJSONPointer",
}

// silentFormats say nothing about the value: password hides it on a screen, binary is any string.
var silentFormats = []string{"password", "binary"}

func knownFormat(name string) bool {
	return numericFormats[name] || textFormats[name] != "" || slices.Contains(silentFormats, name)
}

// textChecks are the functions that textFormats names.
var textChecks = map[string]func(string) string{
	"date": validation.DateText, "date-time": validation.DateTime, "time": validation.Time, "duration": validation.Duration,
	"email": validation.Email, "idn-email": validation.IDNEmail, "hostname": validation.Hostname, "idn-hostname": validation.IDNHostname,
	"ipv4": validation.IPv4, "ipv6": validation.IPv6, "uri": validation.URI, "uri-reference": validation.URIReference, "iri": validation.IRI,
	"iri-reference": validation.IRIReference, "uri-template": validation.URITemplate, "uuid": validation.UUID, "byte": validation.Base64,
	"regex": validation.Regex, "json-pointer": validation.JSONPointer, "relative-json-pointer": validation.RelativeJSONPointer,
}

// integerBits are the bits of an integer format, 0 for what is none.
func integerBits(format string) (bits int, unsigned bool) {
	size, unsigned := strings.CutPrefix(format, "u")
	size, isInteger := strings.CutPrefix(size, "int")
	switch bits, err := strconv.Atoi(size); {
	case !isInteger || !numericFormats[format]:
		return 0, false
	case err == nil:
		return bits, unsigned
	}
	return 64, unsigned // uint
}
