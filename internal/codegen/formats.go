package codegen

import "slices"

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
