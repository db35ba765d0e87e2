package main

import (
	"fmt"
	"io"
)

// print writes one line for each sample and implementation, and the ratios that have a target.
func (f figures) print(s subject, out io.Writer) {
	names := make([]string, 0, len(s.implementations)+1)
	for _, i := range s.implementations {
		names = append(names, i.name)
	}
	names = append(names, ajvName)
	fmt.Fprintf(out, "\nDecode and validate %s\n\n", s.name)
	fmt.Fprintf(out, "%-28s %-22s %10s %10s %9s %10s %12s\n", "body", "by", "ns/op", "allocs/op", "B/op", "× by hand", "× accepted")
	for _, sample := range s.samples {
		title := sample.name
		for _, name := range names {
			c := f[sample.name][name]
			if c == nil {
				if reason := sample.passedBy[name]; reason != "" {
					fmt.Fprintf(out, "%-28s %-22s accepts it: %s\n", title, name, reason)
					title = ""
				}
				continue
			}
			memory := fmt.Sprintf("%10s %9s", "", "") // of Node it is not known
			if name != ajvName {
				memory = fmt.Sprintf("%10.1f %9.0f", c.allocs, c.bytes)
			}
			fmt.Fprintf(out, "%-28s %-22s %10.0f %s %10s %12s\n", title, name, c.nano(), memory,
				ratio(c, f[sample.name][byhandName]), refusedRatio(sample, c, f[s.whole][name]))
			title = ""
		}
	}
	f.printTargets(s, out)
}

func ratio(a, b *cell) string {
	if b == nil {
		return ""
	}
	return fmt.Sprintf("%.2f", a.nano()/b.nano())
}

func refusedRatio(s sample, c, whole *cell) string {
	if !s.refused {
		return ""
	}
	return ratio(c, whole)
}

func (f figures) printTargets(s subject, out io.Writer) {
	own := f[s.mix][gatehouseName].nano()
	fmt.Fprintf(out, "\n%s: %.2f of encoding/json by hand, %.2f of ogen\n", s.mix, own/f[s.mix][byhandName].nano(), own/f[s.mix][ogenName].nano())
	worst, most := "", 0.0
	for _, sample := range s.samples {
		if r := f[sample.name][gatehouseName].nano() / f[s.whole][gatehouseName].nano(); sample.refused && r > most {
			worst, most = sample.name, r
		}
	}
	fmt.Fprintf(out, "the dearest refusal is %s: %.2f of %s\n", worst, most, s.whole)
}
