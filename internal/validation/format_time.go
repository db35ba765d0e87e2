package validation

import (
	"strings"
	"time"
)

// DateText returns what is wrong where s is not a full-date of RFC 3339 §5.6.
func DateText(s string) string {
	_, wrong := Date(s)
	return wrong
}

// DateTime returns what is wrong where s is not a date-time of RFC 3339 §5.6.
func DateTime(s string) string {
	if len(s) > 10 && (s[10] == 'T' || s[10] == 't') && DateText(s[:10]) == "" && timeOfDay(s[11:]) {
		return ""
	}
	return "must be a date-time such as 2026-01-31T12:00:00Z"
}

// Instant returns the time that a date-time says, or what is wrong.
func Instant(s string) (t time.Time, wrong string) {
	if wrong = DateTime(s); wrong != "" {
		return time.Time{}, wrong
	}
	t, err := time.Parse(time.RFC3339, plainDateTime(s))
	if err != nil {
		return time.Time{}, "must be a date-time that fits the calendar"
	}
	return t, ""
}

// plainDateTime writes a date-time as package time reads it: in capitals, and the leap second as the second after.
func plainDateTime(s string) string {
	s = strings.ToUpper(s)
	if leap := strings.Index(s, ":60"); leap == len("2006-01-02T15:04") {
		s = s[:leap] + ":59" + s[leap+3:]
		if t, err := time.Parse(time.RFC3339, s); err == nil {
			s = t.Add(time.Second).Format(time.RFC3339Nano)
		}
	}
	return s
}

// Time returns what is wrong where s is not a full-time of RFC 3339 §5.6.
func Time(s string) string {
	if timeOfDay(s) {
		return ""
	}
	return "must be a time such as 12:00:00Z"
}

// timeOfDay reports whether s is a full-time. A leap second stands at 23:59:60 UTC and nowhere else.
func timeOfDay(s string) bool {
	if len(s) < len("00:00:00Z") || s[2] != ':' || s[5] != ':' {
		return false
	}
	hour, minute, second := digits(s[:2]), digits(s[3:5]), digits(s[6:8])
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 {
		return false
	}
	rest := s[8:]
	if after, found := strings.CutPrefix(rest, "."); found {
		var fraction string
		if fraction, rest = span(after); fraction == "" {
			return false
		}
	}
	offset, ok := utcOffset(rest)
	if second < 60 || !ok {
		return ok
	}
	return ((hour*60+minute-offset)%1440+1440)%1440 == 23*60+59
}

// utcOffset returns the minutes that an offset of RFC 3339 is ahead of UTC.
func utcOffset(s string) (minutes int, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != len("+00:00") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	hour, minute := digits(s[1:3]), digits(s[4:])
	if hour < 0 || hour > 23 || minute < 0 || minute > 59 {
		return 0, false
	}
	if s[0] == '-' {
		return -hour*60 - minute, true
	}
	return hour*60 + minute, true
}

// Duration returns what is wrong where s is not a duration of RFC 3339 appendix A.
func Duration(s string) string {
	const wrong = "must be a duration such as P1DT12H"
	day, clock, hasClock := strings.Cut(strings.TrimPrefix(s, "P"), "T")
	switch {
	case !strings.HasPrefix(s, "P"), day == "" && !hasClock:
		return wrong
	case !hasClock && units(day, "W"):
		return ""
	case day != "" && !units(day, "YMD"), hasClock && !units(clock, "HMS"):
		return wrong
	}
	return ""
}

// units reports whether s is numbers, each with its unit, where the units follow each other without a gap.
func units(s, order string) bool {
	last := -1
	for s != "" {
		number, rest := span(s)
		if number == "" || rest == "" {
			return false
		}
		i := strings.IndexByte(order, rest[0])
		if i < 0 || last >= 0 && i != last+1 {
			return false
		}
		last, s = i, rest[1:]
	}
	return last >= 0
}
