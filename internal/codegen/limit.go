package codegen

import (
	"fmt"
	"slices"
	"strings"

	"example.com/gatehouse/internal/ceiling"
)

// limit is an entry of x-rate-limit.
type limit struct {
	node                 node
	name                 string
	by                   string // one of limitSubjects
	member               string // of the body, "" where none is counted by
	quota, window, burst int64
	cost                 int64 // 0: one place
}

// The values of by in a limit.
const (
	byAddress   = "address"
	byPrincipal = "principal"
	byKey       = "key"
	byClient    = "client"
	byAccount   = "account"
)

// maxRate is the most requests a second that a limit can count: ratelimit.MaxRate.
const maxRate = 1_000_000

func (r *operationReader) readLimits(o *operation, n node) {
	list := r.inherited(n, "x-rate-limit")
	if list.exists() && !list.isSequence() {
		list.fault("must be a list of limits")
	}
	own := n.get("x-rate-limit").exists()
	for _, e := range list.elements() {
		l := r.readLimit(e)
		if l.member != "" && !own {
			e.get("member").fault("names a member of the body of one operation: state the limit there")
			continue
		}
		// What the root says of all goes for those that it can count. What an operation says of itself must be possible.
		if reason := r.uncounted(o, l); reason == "" {
			o.limits = append(o.limits, l)
		} else if own {
			e.fault("%s", reason)
		}
	}
	o.maxBodyBytes = ceiling.BodyBytes
	if most := r.inherited(n, "x-max-body-bytes"); most.exists() {
		o.maxBodyBytes = int64(most.within("bytes", 1, maxBodyBytes))
	}
	if timeout := r.inherited(n, "x-timeout"); timeout.exists() {
		o.timeout = timeout.within("seconds", 1, maxTimeout)
	}
	if own := n.get("x-max-body-bytes"); own.exists() && !n.get("requestBody").exists() {
		own.fault("bounds a body, and the operation takes none: remove it, or declare requestBody")
	}
}

// uncounted returns why a limit would count nothing at the operation, or nothing.
func (r *operationReader) uncounted(o *operation, l limit) string {
	basic := slices.ContainsFunc(o.security, func(alternative []requirement) bool {
		return slices.ContainsFunc(alternative, func(q requirement) bool { return r.doc.schemes[q.scheme].kind == schemeBasic })
	})
	switch open := len(o.security) == 0 && o.public != ""; {
	case l.member != "":
		return ""
	case open && (l.by == byPrincipal || l.by == byKey):
		return "counts by " + l.by + ", and the operation is open to everybody: count by address"
	case open && l.by == byClient:
		return "counts by client, and the operation is open to everybody: say with member which member of the body names the client"
	case l.by == byAccount && !basic:
		return "counts by account, and nothing names one here: the operation takes no HTTP Basic, so say with member which member of the body does"
	case l.by != byAddress && len(o.security) == 0:
		return "counts by " + l.by + ", and the operation is open to nobody"
	}
	return ""
}

// checkMembers refuses a limit by a member that the bodies of the operation do not have as a text: it would count nothing.
func (o *operation) checkMembers() {
	for _, l := range o.limits {
		if l.member == "" {
			continue
		}
		if len(o.bodies) == 0 {
			l.node.get("member").fault("names a member of the body, and the operation takes none")
		}
		for _, b := range o.bodies {
			if b.kind != bodyJSON && b.kind != bodyForm || !b.schema.hasText(l.member) {
				l.node.get("member").fault("the body %s has no member %q that is a string", b.mediaType, l.member)
			}
		}
	}
}

// hasText reports whether the schema declares a property that can only be a string.
func (s *schema) hasText(name string) bool {
	if s == nil {
		return false
	}
	found := false
	for _, b := range s.branches(map[*schema]bool{}) {
		for _, p := range b.properties {
			if p.name != name {
				continue
			}
			if p.schema == nil || p.schema.allows() != typeString {
				return false
			}
			found = true
		}
	}
	return found
}

// readLimit reads one entry of x-rate-limit.
func (r *operationReader) readLimit(n node) limit {
	n.allow("a limit", "name", "by", "quota", "window", "burst", "cost", "member")
	needed := []string{"name", "by", "quota", "window"}
	if missing := slices.DeleteFunc(needed, func(key string) bool { return n.get(key).exists() }); len(missing) > 0 {
		n.fault("the limit has no %s: it needs a name, by (address, principal, key, client or account), a quota of requests and a window in seconds", strings.Join(missing, " and no "))
		return limit{}
	}
	l := limit{node: n, name: n.get("name").text(), by: n.get("by").text(),
		quota: int64(n.get("quota").within("requests", 1, maxQuota)), window: int64(n.get("window").within("seconds", 1, maxWindow))}
	if burst := n.get("burst"); burst.exists() {
		l.burst = int64(burst.within("requests", 1, maxQuota))
	}
	if !n.get("name").isText() || !isPrintable(l.name) {
		n.get("name").fault("the name of a limit is printable ASCII without spaces, quotes and backslashes: it stands in the RateLimit fields")
	}
	if !slices.Contains([]string{byAddress, byPrincipal, byKey, byClient, byAccount}, l.by) {
		n.get("by").fault("a limit counts by address, principal, key, client or account")
	}
	if l.quota > l.window*maxRate {
		n.get("quota").fault("more than %d requests a second are not counted: leave the limit out", maxRate)
	}
	if cost := n.get("cost"); cost.exists() {
		l.cost = int64(cost.within("places", 1, maxQuota))
		if most := l.most(); l.cost > most {
			cost.fault("a request at this cost is never allowed: at most %d places are free at once", most)
		}
	}
	if member := n.get("member"); member.exists() {
		l.member = member.text()
		switch {
		case l.by != byClient && l.by != byAccount:
			member.fault("a member of the body names a client or an account: count by one of them")
		case !member.isText() || l.member == "":
			member.fault("must be the name of a member of the body")
		}
	}
	if other, found := r.limits[l.name]; found && other != l.bucket() {
		n.fault("the limit %q means something else elsewhere: a name is a bucket, give each limit its own", l.name)
	}
	r.limits[l.name] = l.bucket()
	return l
}

// most is how many places are free at once.
func (l limit) most() int64 {
	if l.burst > 0 {
		return l.burst
	}
	return l.quota
}

// bucket is what limits of one name have in common. What a request costs, and which member is counted by, each operation says.
func (l limit) bucket() limit {
	return limit{name: l.name, by: l.by, quota: l.quota, window: l.window, burst: l.burst}
}

// literal is the limit as Go source.
func (l limit) literal() string {
	by := map[string]string{byAddress: "ByAddress", byPrincipal: "ByPrincipal", byKey: "ByKey", byClient: "ByClient", byAccount: "ByAccount"}[l.by]
	burst, cost, member := "", "", ""
	if l.burst > 0 {
		burst = fmt.Sprintf(", Burst: %d", l.burst)
	}
	if l.cost > 1 {
		cost = fmt.Sprintf(", Cost: %d", l.cost)
	}
	if l.member != "" {
		member = fmt.Sprintf(", Member: %q", l.member)
	}
	return fmt.Sprintf("{By: guard.%s, Limit: ratelimit.Limit{Name: %q, Quota: %d, Window: %d * time.Second%s}%s%s}", by, l.name, l.quota, l.window, burst, cost, member)
}

// text is the limit for people.
func (l limit) text() string {
	text := fmt.Sprintf("%s: %d in %d s by %s", l.name, l.quota, l.window, l.by)
	if l.member != "" {
		text += " in " + l.member
	}
	if l.burst > 0 {
		text += fmt.Sprintf(", %d at once", l.burst)
	}
	if l.cost > 1 {
		text += fmt.Sprintf(", a request counts %d", l.cost)
	}
	return text
}
