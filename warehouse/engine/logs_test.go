package engine

import (
	"log/slog"
	"strings"
	"testing"
)

func TestLogLines(t *testing.T) {
	t.Parallel()
	out := &book{}
	l := &stderrLog{logger: slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelDebug})), password: "hush-hush"}
	say := func(s string) {
		t.Helper()
		if n, err := l.Write([]byte(s)); n != len(s) || err != nil {
			t.Fatal(n, err)
		}
	}
	say("Code: 210. DB::Exception: Address already in use\n")
	l.serve()
	say("2026.07.01 12:00:00.123456 [ 7 ] {ab-1} <Error> executeQuery: Code: 395. DB::Exc")
	say("eption: no luck. (from 127.0.0.1:5) (in query: select 'private\n matter'), Stack trace (when copying):\n\n0. ? @ 0x1\n")
	say("2026.07.01 12:00:00.123456 [ 7 ] {} <Warning> Application: with hush-hush in it\n")
	if reason := l.last(); reason != "" {
		t.Errorf("an ordinary line is taken for the reason of an exit: %q", reason)
	}
	say("2026.07.01 12:00:00.123456 [ 7 ] {} <Error> MergeTreeBackgroundExecutor: no space\n")
	say("SIGSEGV: segmentation violation\nPC=0x7f m=0\n")
	say(strings.Repeat("x", 100_000) + "\n")

	text := out.String()
	for _, want := range []string{
		`level=WARN msg="Code: 210. DB::Exception: Address already in use"`,
		`level=DEBUG msg="Code: 395. DB::Exception: no luck. (from 127.0.0.1:5)" logger=executeQuery query_id=ab-1`,
		`level=ERROR msg="no space" logger=MergeTreeBackgroundExecutor`,
		`level=WARN msg="with [password] in it" logger=Application`, "SIGSEGV: segmentation violation", "PC=0x7f",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %q in\n%.2000s", want, text)
		}
	}
	for _, secret := range []string{"private", "matter", "hush-hush"} {
		if strings.Contains(text, secret) || strings.Contains(l.last(), secret) {
			t.Errorf("%q shows", secret)
		}
	}
	if !strings.Contains(l.last(), "SIGSEGV") {
		t.Errorf("the reason of the exit is %.200q", l.last())
	}
	if n := len(l.last()); n > tailLines*(longestLine+8) {
		t.Errorf("%d bytes remembered", n)
	}
}
