package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	tests := []struct {
		name  string
		lines []string
		want  string
	}{
		{
			name: "a package that passes is its closing line",
			lines: []string{
				`{"Action":"run","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"--- PASS: TestA\n"}`,
				`{"Action":"pass","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Output":"PASS\n"}`,
				`{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}`,
				`{"Action":"pass","Package":"p"}`,
			},
			want: "ok  \tp\t0.1s\n\n1 tests passed, 0 failed, 0 skipped\n",
		},
		{
			name: "a test that fails shows what it printed",
			lines: []string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: got 1\n"}`,
				`{"Action":"fail","Package":"p","Test":"TestA"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}`,
				`{"Action":"fail","Package":"p"}`,
			},
			want: "    a_test.go:3: got 1\nFAIL\tp\t0.1s\n\n0 tests passed, 1 failed, 0 skipped\n  FAILED: p\n",
		},
		{
			name: "a test that skips is named at the end with its reason",
			lines: []string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"=== RUN   TestA\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"    a_test.go:3: no PostgreSQL here\n"}`,
				`{"Action":"output","Package":"p","Test":"TestA","Output":"--- SKIP: TestA (0.00s)\n"}`,
				`{"Action":"skip","Package":"p","Test":"TestA"}`,
			},
			want: "\n0 tests passed, 0 failed, 1 skipped\n  skipped: p TestA: no PostgreSQL here\n",
		},
		{
			name: "a package that does not compile shows the compiler's words",
			lines: []string{
				`{"ImportPath":"p","Action":"build-output","Output":"a.go:1:1: syntax error\n"}`,
				`{"ImportPath":"p","Action":"build-fail"}`,
				`{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}`,
				`{"Action":"fail","Package":"p","FailedBuild":"p"}`,
			},
			want: "a.go:1:1: syntax error\nFAIL\tp [build failed]\n\n0 tests passed, 0 failed, 0 skipped\n  FAILED: p\n",
		},
		{
			name: "a test that never ended shows what it printed",
			lines: []string{
				`{"Action":"output","Package":"p","Test":"TestA","Output":"panic: boom\n"}`,
			},
			want: "panic: boom\n\n0 tests passed, 0 failed, 0 skipped\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			r := &report{out: &out}
			if err := r.read(strings.NewReader(strings.Join(tt.lines, "\n"))); err != nil {
				t.Fatal(err)
			}
			r.close()
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReportRefusesWhatIsNotGoTestOutput(t *testing.T) {
	r := &report{out: new(bytes.Buffer)}
	if err := r.read(strings.NewReader("not JSON")); err == nil {
		t.Error("no error")
	}
}
