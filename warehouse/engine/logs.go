package engine

import (
	"bytes"
	"context"
	"log/slog"
	"regexp"
	"strings"
	"sync"
)

// A line of ClickHouse's log: "2026.07.01 12:00:00.000000 [ 42 ] {query id} <Error> Logger: text".
var logLine = regexp.MustCompile(`^\d{4}\.\d\d\.\d\d \d\d:\d\d:\d\d\.\d+ \[ \d+ \] \{([^}]*)\} <(\w+)> ([^:]*): ?(.*)$`)

// What an error says after these words is the text of the query, and with it people's data.
var queryText = regexp.MustCompile(`\s*(\(in query: |\(query: |: While executing .*? query ').*$`)

// These tell of errors that their client was told of, too; who asked logs or returns them.
var answered = map[string]bool{"executeQuery": true, "TCPHandler": true, "DynamicQueryHandler": true, "StaticRequestHandler": true}

// The addresses that follow an exception; there are no names in this library.
var stackLine = regexp.MustCompile(`^\d+\. .* @ 0x`)

var logLevels = map[string]slog.Level{
	"Fatal": slog.LevelError, "Critical": slog.LevelError, "Error": slog.LevelError, "Warning": slog.LevelWarn,
	"Notice": slog.LevelInfo, "Information": slog.LevelInfo, "Debug": slog.LevelDebug, "Trace": slog.LevelDebug,
}

// stderrLog turns the child's standard error into records of slog, and remembers the last lines for the reason of an exit.
// A line of ClickHouse's log loses the text of the query; the lines that follow it (stack addresses, the rest of a query)
// are dropped while the engine serves. What comes before that (the configuration's errors) and what Go says of a crash is
// kept as it is, except for the password, which never passes.
type stderrLog struct {
	logger   *slog.Logger
	password string

	mu      sync.Mutex
	part    []byte
	serving bool
	ending  bool
	inEntry bool // the last log line was ClickHouse's, so that a bare line continues it
	tail    []string
}

const tailLines, longestLine = 12, 4096

// Write takes bytes as they come; it never fails.
func (l *stderrLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.part = append(l.part, p...)
	for {
		i := bytes.IndexByte(l.part, '\n')
		if i < 0 && len(l.part) < 16*longestLine {
			return len(p), nil
		}
		line, rest := l.part, []byte(nil) // a line that does not end is cut
		if i >= 0 {
			line, rest = l.part[:i], l.part[i+1:]
		}
		l.line(string(line))
		l.part = append(l.part[:0], rest...)
	}
}

// serve marks the moment from which on continuation lines may hold parts of queries, and a log line is no reason of an exit.
func (l *stderrLog) serve() {
	l.mu.Lock()
	l.serving, l.tail = true, nil
	l.mu.Unlock()
}

// end marks the moment from which on errors are expected.
func (l *stderrLog) end() {
	l.mu.Lock()
	l.ending = true
	l.mu.Unlock()
}

// last gives the remembered lines joined; empty where the child said nothing.
func (l *stderrLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.tail, "; ")
}

func (l *stderrLog) line(s string) {
	s = strings.TrimRight(s, "\r ")
	if l.password != "" {
		s = strings.ReplaceAll(s, l.password, "[password]")
	}
	if len(s) > longestLine {
		s = s[:longestLine] + "…"
	}
	if s == "" {
		return
	}
	level, attributes, reason := slog.LevelWarn, []slog.Attr(nil), true
	switch m := logLine.FindStringSubmatch(s); {
	case m != nil:
		level = logLevels[m[2]]
		attributes = append(attributes, slog.String("logger", m[3]))
		if m[1] != "" {
			attributes = append(attributes, slog.String("query_id", m[1]))
		}
		s = strings.TrimSuffix(queryText.ReplaceAllString(m[4], ""), ", Stack trace (when copying this message, always include the lines below):")
		if answered[m[3]] && !strings.Contains(s, "AUTHENTICATION_FAILED") {
			level = min(level, slog.LevelDebug)
		}
		l.inEntry, reason = true, !l.serving || m[2] == "Fatal"
	case strings.HasPrefix(s, ChildCommand+": ") || strings.HasPrefix(s, "SIG") || strings.HasPrefix(s, "fatal error:") || strings.HasPrefix(s, "PC="):
		l.inEntry = false
	case l.inEntry && (l.serving || stackLine.MatchString(s)):
		return
	}
	if l.ending {
		level = min(level, slog.LevelDebug) // that its query was cancelled, as it was asked to be
	}
	if reason {
		l.tail = append(l.tail, s)
		l.tail = l.tail[max(0, len(l.tail)-tailLines):]
	}
	l.logger.LogAttrs(context.Background(), level, s, attributes...)
}
