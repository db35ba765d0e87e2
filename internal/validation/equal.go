package validation

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
)

// Equal reports whether two values are equal as JSON Schema §4.2.2 defines it: numbers by value, objects without order.
func Equal(a, b *Value) bool {
	if a.kind != b.kind || len(a.list) != len(b.list) {
		return false
	}
	if a.kind == Object && len(a.list) > few {
		return bytes.Equal(a.appendKey(nil), b.appendKey(nil)) // not one search for each member
	}
	switch a.kind {
	case Boolean:
		return a.truth == b.truth
	case String:
		return a.text == b.text
	case Number:
		return EqualNumbers([]byte(a.text), []byte(b.text))
	case Array:
		for i := range a.list {
			if !Equal(&a.list[i], &b.list[i]) {
				return false
			}
		}
	case Object:
		for m := a.FirstMember(); m != nil; m = m.Next() {
			if other := b.Member(m.name); other == nil || !Equal(m, other) {
				return false
			}
		}
	}
	return true
}

// appendKey appends a key that is the same for two values exactly if they are equal. Every text in it is preceded by its
// length, so that no two keys can be confused.
func (v *Value) appendKey(key []byte) []byte {
	key = append(key, byte(v.kind))
	text := func(key []byte, s string) []byte {
		return append(binary.AppendUvarint(key, uint64(len(s))), s...)
	}
	switch v.kind {
	case Boolean:
		if v.truth {
			return append(key, 1)
		}
		return append(key, 0)
	case String:
		return text(key, v.text)
	case Number:
		return text(key, string(CanonicalNumber(nil, []byte(v.text))))
	case Array, Object:
		key = binary.AppendUvarint(key, uint64(len(v.list)))
	}
	list := make([]*Value, len(v.list))
	for i := range v.list {
		list[i] = &v.list[i]
	}
	if v.kind == Object {
		slices.SortFunc(list, func(a, b *Value) int { return strings.Compare(a.name, b.name) })
	}
	for _, child := range list {
		if v.kind == Object {
			key = text(key, child.name)
		}
		key = child.appendKey(key)
	}
	return key
}
