package validation

import "strconv"

// MinItems demands that the array read last has at least n elements.
func (r *Reader) MinItems(n int) {
	if r.valid {
		r.Check("minItems", MinItems(r.length, n))
	}
}

// MinProperties demands that the object read last has at least n members.
func (r *Reader) MinProperties(n int) {
	if r.valid {
		r.Check("minProperties", MinProperties(r.length, n))
	}
}

// MaxProperties demands that the object read last has at most n members.
func (r *Reader) MaxProperties(n int) {
	if r.valid {
		r.Check("maxProperties", MaxProperties(r.length, n))
	}
}

// MaxItems returns what is wrong where an array of n elements has more than limit.
func MaxItems(n, limit int) string {
	if n <= limit {
		return ""
	}
	return "must have at most " + strconv.Itoa(limit) + " elements"
}

// MinItems returns what is wrong where an array of n elements has fewer than limit.
func MinItems(n, limit int) string {
	if n >= limit {
		return ""
	}
	return "must have at least " + strconv.Itoa(limit) + " elements"
}

// MaxProperties returns what is wrong where an object of n members has more than limit.
func MaxProperties(n, limit int) string {
	if n <= limit {
		return ""
	}
	return "must have at most " + strconv.Itoa(limit) + " members"
}

// MinProperties returns what is wrong where an object of n members has fewer than limit.
func MinProperties(n, limit int) string {
	if n >= limit {
		return ""
	}
	return "must have at least " + strconv.Itoa(limit) + " members"
}

// few is how many elements are compared pairwise: below it that is faster than a map and allocates nothing.
const few = 16

// Unique returns what is wrong where two elements are equal.
func Unique[T comparable](list []T) string {
	const wrong = "must not hold the same element twice"
	if len(list) <= few {
		for i, a := range list {
			for _, b := range list[:i] {
				if a == b {
					return wrong
				}
			}
		}
		return ""
	}
	seen := make(map[T]struct{}, len(list))
	for _, a := range list {
		if _, found := seen[a]; found {
			return wrong
		}
		seen[a] = struct{}{}
	}
	return ""
}
