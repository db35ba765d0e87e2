package validation

// ceiling adds a violation of a bound that the document does not state. A trial asks what the document says: there it is only
// noted. Else a value beyond a ceiling would pass what the document excludes, and escape what a condition demands.
func (c *Check) ceiling(v *Value, keyword, detail string) {
	if c.inTrial {
		c.large = true
		return
	}
	c.Violation(v, keyword, detail)
}

// beyond says which ceiling the value exceeds, of the one alternative that it fits.
func (c *Check) beyond(v *Value, check func(*Check, *Value)) {
	if c.inTrial {
		c.large = true
	} else {
		check(c, v)
	}
}

// CeilingBytes, CeilingItems and CeilingMembers bound what clients send where the document does not.
func (c *Check) CeilingBytes(v *Value, n int) {
	if wrong := MaxBytes(v.Text(), n); wrong != "" && c.Purpose != Response {
		c.ceiling(v, "maxLength", wrong)
	}
}

// CeilingItems bounds the elements of an array.
func (c *Check) CeilingItems(v *Value, n int) {
	if v.kind == Array && len(v.list) > n && c.Purpose != Response {
		c.ceiling(v, "maxItems", MaxItems(len(v.list), n))
	}
}

// CeilingMembers bounds the members of an object.
func (c *Check) CeilingMembers(v *Value, n int) {
	if v.kind == Object && len(v.list) > n && c.Purpose != Response {
		c.ceiling(v, "maxProperties", MaxProperties(len(v.list), n))
	}
}

// CeilingInteger bounds an integer whose format the document leaves open to what the model can hold.
func (c *Check) CeilingInteger(v *Value) {
	if v.kind != Number || !isInteger(v.text) {
		return // Type says so
	}
	if wrong := IntegerRange([]byte(v.text), 64, false); wrong != "" {
		c.ceiling(v, "format", wrong)
		return
	}
	c.spellInteger(v)
}
