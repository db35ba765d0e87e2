package codegen

import (
	"fmt"
	"slices"
	"strings"

	oapi "github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
)

// mediaTypeName is the Go name that oapi-codegen makes of a JSON media type other than application/json.
func mediaTypeName(mediaType string) string {
	return oapi.SchemaNameToTypeName(strings.NewReplacer("/", "_", "+json", "PlusJSON", "json", "JSON", "xml", "XML", "+", "Plus").Replace(mediaType))
}

// forms writes what the members of each form can become.
func (e *emitter) forms() {
	for _, o := range e.document.operations {
		for _, b := range o.bodies {
			if b.kind != bodyForm && b.kind != bodyMultipart {
				continue
			}
			e.p("var form%s%sRequestBody = &validation.FormShape{Members: map[string]*validation.FormMember{", o.goName, b.tag())
			rest, written := (*schema)(nil), map[string]bool{}
			for _, s := range b.schema.branches(map[*schema]bool{}) {
				for _, p := range s.properties {
					if !written[p.name] {
						written[p.name] = true
						e.p("%q: %s,", p.name, formMember(&b, p.name, p.schema))
					}
				}
				if s.additional != nil && !s.additional.never && !s.additional.always {
					rest = s.additional
				}
			}
			if rest != nil {
				e.p("}, Rest: &validation.FormMember%s}\n", formMember(&b, "", rest))
			} else {
				e.p("}}\n")
			}
		}
	}
}

func formMember(b *body, name string, s *schema) string {
	var list []string
	items := s
	for _, p := range s.branches(map[*schema]bool{}) {
		if p.items != nil {
			items = p.items
		}
	}
	file := b.kind == bodyMultipart && (s.binary() || items.binary())
	list = append(list, "Shape: "+textShape(s, styleDepth))
	i := slices.IndexFunc(b.parts, func(p part) bool { return p.name == name })
	json := s.allows().has(typeObject) && !s.allows().has(typeString) || items != s && items.allows().has(typeObject) && !items.allows().has(typeString)
	if i >= 0 {
		encoding := b.parts[i]
		if separator := map[string]string{"form": ",", "spaceDelimited": " ", "pipeDelimited": "|"}[encoding.style]; !encoding.explode && b.node.get("encoding").get(name).get("style").exists() {
			list = append(list, fmt.Sprintf("Separator: %q", separator))
		}
		json = json || slices.ContainsFunc(encoding.contentTypes, isJSON)
		if len(encoding.contentTypes) > 0 && b.kind == bodyMultipart {
			list = append(list, fmt.Sprintf("ContentTypes: []string{%s}", quoteAll(encoding.contentTypes)))
		}
	}
	if file {
		list = append(list, "File: true")
	} else if json {
		list = append(list, "JSON: true")
	}
	return "{" + strings.Join(list, ", ") + "}"
}
