package dashboards_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/dashboards"
	"canopy/models"
)

const password = "correct horse battery"

// house is the API over a real store, listening on a port of its own, with a few people in it.
type house struct {
	testing.TB
	db         *store.DB
	sequencer  *store.Sequencer
	engine     *crm.Engine
	access     *crm.Access
	url        string
	client     *http.Client
	log        *lines
	closeStore func() error
	tokens     map[string]string // by first name
	ids        map[string]string // what was made, by the name the test gave it
}

// lines is a log that can be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// option changes the house before it opens.
type option func(h *house, c *dashboards.Config, p *dashboards.Parts)

func openHouse(t testing.TB, c store.Config, options ...option) *house {
	t.Helper()
	registry, err := models.Standard()
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), c, registry)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{TB: t, db: db, log: &lines{}, tokens: map[string]string{}, ids: map[string]string{}, client: &http.Client{Transport: &http.Transport{}, Timeout: 5 * time.Minute}, closeStore: sync.OnceValue(db.Close)}
	t.Cleanup(func() {
		if err := h.closeStore(); err != nil {
			t.Error(err)
		}
	})
	h.sequencer = h.db.NewSequencer(store.SequencerOptions{})
	h.engine, err = crm.New(h.db, crm.Options{
		Calendar: models.Calendar{Zone: time.UTC, WeekStart: time.Monday, FiscalMonth: time.January}, Currency: "USD",
	})
	if err != nil {
		t.Fatal(err)
	}
	h.access = crm.NewAccess(h.db, nil)
	if _, err := h.access.EnsureAdministrator(t.Context(), h.engine, h.engine.Registry(), password); err != nil {
		t.Fatal(err)
	}
	config := dashboards.Config{Log: slog.New(slog.NewJSONHandler(h.log, nil)), UploadDirectory: t.TempDir()}
	parts := dashboards.Parts{Records: h.engine, Access: h.access, Checks: []dashboards.Check{{Name: "store", Ready: h.db.Ping}}}
	for _, o := range options {
		o(h, &config, &parts)
	}
	server, err := dashboards.New(config, parts)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.url = "http://" + listener.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		h.client.CloseIdleConnections()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("server: %v", err)
		}
	})
	h.tokens["admin"] = h.token(h.userNumber("admin@canopy.local"), false)
	return h
}

func sqliteHouse(t testing.TB, options ...option) *house {
	t.Helper()
	return openHouse(t, store.Config{Path: filepath.Join(t.TempDir(), "canopy.db")}, options...)
}

func (h *house) userNumber(email string) uint64 {
	h.Helper()
	found, err := h.engine.FindByText(h.Context(), models.System(), "user", "email", []string{email})
	if err != nil || len(found[email]) != 1 {
		h.Fatalf("user %s: %v, %v", email, found, err)
	}
	return found[email][0]
}

func (h *house) token(user uint64, readOnly bool) string {
	h.Helper()
	secret, _, err := h.access.CreateToken(h.Context(), models.System(), crm.NewToken{User: user, Name: "test", ReadOnly: readOnly})
	if err != nil {
		h.Fatal(err)
	}
	return secret
}

// person makes a user with a token, under the first word of the name.
func (h *house) person(name string, fields string) string {
	h.Helper()
	first := strings.ToLower(strings.Fields(name)[0])
	id := h.make("user", fmt.Sprintf(`{"name":%q,"email":"%s@example.com",%s}`, name, first, fields))
	number, err := models.ParseID("user", id)
	if err != nil {
		h.Fatal(err)
	}
	h.tokens[first] = h.token(number, false)
	h.ids[first] = id
	return id
}

// giveKeys gives people a password to sign in with.
func (h *house) giveKeys(names ...string) *house {
	h.Helper()
	for _, name := range names {
		if err := h.access.SetPassword(h.Context(), models.System(), h.userNumber(name+"@example.com"), password); err != nil {
			h.Fatal(err)
		}
	}
	return h
}

// make creates a record as the administrator, through the API.
func (h *house) make(object, fields string) string {
	h.Helper()
	a := h.send(ask{as: "admin", method: "POST", path: "/api/v1/records/" + object, body: `{"fields":` + fields + `}`})
	if a.status != http.StatusCreated {
		h.Fatalf("make %s %s: %d %s", object, fields, a.status, a.body)
	}
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(a.body), &made); err != nil {
		h.Fatal(err)
	}
	return made.ID
}

// ask is one request; as names whose token it carries.
type ask struct {
	as, method, path, body string
	header                 map[string]string
}

type answer struct {
	status int
	body   string
	header http.Header
}

func (h *house) send(q ask) answer {
	h.Helper()
	request, err := http.NewRequestWithContext(h.Context(), q.method, h.url+h.filled(q.path), strings.NewReader(h.filled(q.body)))
	if err != nil {
		h.Fatal(err)
	}
	if q.method == http.MethodGet {
		if _, err := h.sequencer.Step(h.Context()); err != nil { // so that PostgreSQL's log is numbered up to what was written
			h.Fatal(err)
		}
	}
	if q.as != "" {
		request.Header.Set("Authorization", "Bearer "+h.tokens[q.as])
	}
	if q.body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range q.header {
		request.Header.Set(name, value)
		if name == "Host" {
			request.Host = value
		}
	}
	response, err := h.client.Do(request)
	if err != nil {
		h.Fatalf("%s %s: %v", q.method, q.path, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		h.Fatalf("%s %s: %v", q.method, q.path, err)
	}
	return answer{response.StatusCode, string(text), response.Header}
}

// filled puts ids in for {names}.
func (h *house) filled(text string) string {
	for name, id := range h.ids {
		text = strings.ReplaceAll(text, "{"+name+"}", id)
	}
	return text
}

// scenario is a request with what its answer must and must not say.
type scenario struct {
	ask
	status  int
	must    []string
	mustNot []string
}

func (h *house) play(name string, s scenario) answer {
	h.Helper()
	a := h.send(s.ask)
	if a.status != s.status {
		h.Errorf("%s: status %d, wanted %d: %s", name, a.status, s.status, a.body)
	}
	if a.header.Get("X-Request-Id") == "" {
		h.Errorf("%s: no request id", name)
	}
	if a.status >= 400 {
		h.checkProblem(name, a)
	}
	for _, text := range s.must {
		if text = h.filled(text); !strings.Contains(a.body, text) {
			h.Errorf("%s: no %s in %s", name, text, a.body)
		}
	}
	for _, text := range s.mustNot {
		if text = h.filled(text); strings.Contains(a.body, text) {
			h.Errorf("%s: %s in %s", name, text, a.body)
		}
	}
	return a
}

// checkProblem looks at what every error answer has.
func (h *house) checkProblem(name string, a answer) {
	h.Helper()
	var p struct {
		Type, Title, Detail, Code string
		Status                    int
		RequestID                 string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		h.Errorf("%s: %v in %s", name, err, a.body)
		return
	}
	if a.header.Get("Content-Type") != "application/problem+json" || p.Type != "about:blank" || p.Title == "" || p.Detail == "" || p.Code == "" ||
		p.Status != a.status || p.RequestID != a.header.Get("X-Request-Id") {
		h.Errorf("%s: a problem that is none (%s): %s", name, a.header.Get("Content-Type"), a.body)
	}
}

func (h *house) playAll(scenarios []struct {
	name string
	scenario
}) {
	h.Helper()
	for _, s := range scenarios {
		h.play(s.name, s.scenario)
	}
}

// eventually asks until the answer is right; the deadline is there for a test that hangs, not to say how fast anything is.
func (h *house) eventually(what string, right func() bool) {
	h.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(time.Minute)
	for !right() {
		select {
		case <-tick.C:
		case <-deadline:
			h.Fatalf("%s: it never came", what)
		}
	}
}
