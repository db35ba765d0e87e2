package items

import (
	"database/sql"
	"strconv"
	"strings"

	"example.com/gatehouse/internal/problem"
)

// etag returns the strong entity-tag of a version.
func etag(version int64) string {
	return `"` + strconv.FormatInt(version, 10) + `"`
}

// precondition holds the versions that If-Match accepts. NULL accepts any.
type precondition []sql.NullInt64

// parseIfMatch reads the header, whose syntax openapi.yaml has checked. A weak tag matches nothing, because the
// comparison is strong (RFC 9110 §13.1.1), and neither does one that this service never gave.
func parseIfMatch(header *string) (precondition, error) {
	if header == nil {
		return nil, problem.PreconditionRequired.New("send If-Match with the ETag of the item, or *")
	}
	if *header == "*" {
		return precondition{{}}, nil
	}
	var accepted precondition
	// A tag may hold a comma but no quote, so every second part is the inside of a tag.
	parts := strings.Split(*header, `"`)
	for i := 1; i < len(parts); i += 2 {
		weak := strings.HasSuffix(parts[i-1], "W/")
		version, err := strconv.ParseInt(parts[i], 10, 64)
		// "01" and "+1" read as 1 and are other tags.
		if err != nil || weak || strconv.FormatInt(version, 10) != parts[i] {
			continue
		}
		accepted = append(accepted, sql.NullInt64{Int64: version, Valid: true})
	}
	return accepted, nil
}
