package codegen

// unimplemented writes a type that answers each operation with a 501.
func (e *emitter) unimplemented() string {
	e.begin(quoted("context"), "", quoted(module+"problem"))
	e.p("// Unimplemented answers every operation with a 501 problem, after full security and validation. A service that grows\n// embeds it, and overrides what it has.")
	e.p("type Unimplemented struct{}\n\nvar _ StrictServerInterface = Unimplemented{}\n")
	for _, o := range e.document.operations {
		e.p("// %s answers %s %s.", o.goName, o.method, o.path)
		e.p("func (Unimplemented) %[1]s(context.Context, %[1]sRequestObject) (%[1]sResponseObject, error) {", o.goName)
		e.p("return nil, unimplemented(%q)\n}\n", o.id)
	}
	e.p("//go:noinline\nfunc unimplemented(operation string) error {\nreturn problem.NotImplemented.New(\"the operation \" + operation + \" is not implemented\")\n}")
	return e.finish()
}
