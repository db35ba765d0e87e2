package pattern

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// rewritten says a pattern that RE2 cannot take as members of a schema that it can: what a lookahead at the beginning demands, or a
// lookbehind at the end, holds for the same text, and becomes a pattern of its own. It returns "" where that is not known.
func rewritten(ecma string) string {
	if m := longRepetition.FindStringSubmatch(ecma); m != nil {
		members := []string{"pattern: " + quoted("^"+m[1]+"*$"), "minLength: " + m[2]}
		switch {
		case m[3] == "": // exactly so many
			members = append(members, "maxLength: "+m[2])
		case m[4] != "":
			members = append(members, "maxLength: "+m[4])
		}
		return strings.Join(members, ", ")
	}
	groups, ok := topLevel(ecma)
	if !ok || !strings.HasPrefix(ecma, "^") {
		return ""
	}
	var all, none []string
	from, to := 1, len(ecma)
	for len(groups) > 0 && groups[0].start == from {
		switch g := groups[0]; g.kind {
		case "(?=":
			all = append(all, "^"+g.inner)
		case "(?!":
			none = append(none, "^"+g.inner)
		default:
			goto end
		}
		from, groups = groups[0].end, groups[1:]
	}
end:
	for len(groups) > 0 && strings.HasSuffix(ecma, "$") && groups[len(groups)-1].end == to-1 {
		g := groups[len(groups)-1]
		switch g.kind {
		case "(?<=":
			all = append(all, g.inner+"$")
		case "(?<!":
			none = append(none, g.inner+"$")
		default:
			return judged(all, none, "^"+ecma[from:to])
		}
		ecma, groups = ecma[:g.start]+"$", groups[:len(groups)-1]
		to = len(ecma)
	}
	return judged(all, none, "^"+ecma[from:to])
}

var longRepetition = regexp.MustCompile(`^\^(\[[^\[\]\\]+\]|\\[dwsDWS]|\.)\{([0-9]+)(,([0-9]*))?\}\$$`)

// judged writes the members, if RE2 takes all their patterns.
func judged(all, none []string, rest string) string {
	if rest != "^" && rest != "^$" && rest != "^.*" && rest != "^.*$" {
		all = append(all, rest)
	}
	for _, p := range slices.Concat(all, none) {
		if _, err := translate(p); err != nil {
			return ""
		}
	}
	var members []string
	if len(all) == 1 {
		members = append(members, "pattern: "+quoted(all[0]))
	} else if len(all) > 1 {
		members = append(members, "allOf: ["+listed(all)+"]")
	}
	if len(none) == 1 {
		members = append(members, "not: { pattern: "+quoted(none[0])+" }")
	} else if len(none) > 1 {
		members = append(members, "not: { anyOf: ["+listed(none)+"] }")
	}
	return strings.Join(members, ", ")
}

func listed(patterns []string) string {
	var list []string
	for _, p := range patterns {
		list = append(list, "{ pattern: "+quoted(p)+" }")
	}
	return strings.Join(list, ", ")
}

// quoted writes a text as YAML does between single quotes.
func quoted(s string) string { return fmt.Sprintf("'%s'", strings.ReplaceAll(s, "'", "''")) }

// group is a group that stands in no other.
type group struct {
	start, end  int
	kind, inner string // such as (?=, and what follows it
}

// topLevel finds the groups. It is not ok where the pattern has alternatives beside them: an assertion holds for one of those only.
func topLevel(ecma string) (list []group, ok bool) {
	depth, class := 0, false
	var alternatives bool // in the group
	for i := 0; i < len(ecma); i++ {
		switch c := ecma[i]; {
		case c == '\\':
			i++
		case class:
			class = c != ']'
		case c == '[':
			class = true
		case c == '(':
			if depth++; depth == 1 {
				list, alternatives = append(list, group{start: i}), false
			}
		case c == ')':
			if depth--; depth < 0 {
				return nil, false
			}
			if depth == 0 {
				list[len(list)-1].close(ecma, i, alternatives)
			}
		case c == '|' && depth == 0:
			return nil, false
		case c == '|' && depth == 1:
			alternatives = true
		}
	}
	return list, depth == 0 && !class
}

func (g *group) close(ecma string, at int, alternatives bool) {
	g.end = at + 1
	text := ecma[g.start:at]
	for _, kind := range []string{"(?=", "(?!", "(?<=", "(?<!"} {
		if inner, found := strings.CutPrefix(text, kind); found {
			if g.kind, g.inner = kind, inner; alternatives {
				g.inner = "(?:" + inner + ")"
			}
		}
	}
}
