package codegen

import "fmt"

// lint returns what a well-kept document of one's own would not leave out. Nothing of it changes what is enforced.
func lint(d *document) []string {
	var list []string
	for _, o := range d.operations {
		complain := func(format string, args ...any) {
			list = append(list, Fault{File: o.node.doc.file, Line: o.node.yaml.Line, Pointer: o.node.pointer, Reason: fmt.Sprintf(format, args...)}.String())
		}
		for _, key := range []string{"summary", "description", "tags"} {
			if !o.node.get(key).exists() {
				complain("the operation has no %s", key)
			}
		}
		for _, status := range o.errorStatuses() {
			if !o.node.get("responses").get(status).exists() {
				complain("the operation can answer %s, which its responses do not declare", status)
			}
		}
		for _, p := range o.parameters {
			if !p.node.get("example").exists() {
				complain("the parameter %s has no example", p.name)
			}
		}
		lintExamples(o, complain)
	}
	return list
}

func lintExamples(o *operation, complain func(string, ...any)) {
	for _, m := range o.node.get("requestBody").get("content").members() {
		if !m.value.get("example").exists() {
			complain("the request body has no example")
		}
	}
	for _, response := range o.node.get("responses").members() {
		target := response.value.resolve()
		for _, m := range target.get("content").members() {
			if !m.value.get("example").exists() {
				complain("the response %s has no example", response.key)
			}
		}
	}
}

// errorStatuses are the statuses that the engine can answer for the operation.
func (o *operation) errorStatuses() []string {
	list := []string{"400", "500", "503"}
	if o.public == "" {
		list = append(list, "401", "403")
	}
	if len(o.limits) > 0 {
		list = append(list, "429")
	}
	if len(o.bodies) > 0 {
		list = append(list, "413", "415")
	}
	if len(o.bodies) > 0 && o.timeout > 0 {
		list = append(list, "408")
	}
	if len(o.produces()) > 0 {
		list = append(list, "406")
	}
	if !o.oauthErrors {
		list = append(list, "422")
	}
	return list
}
