package dashboards_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"canopy/dashboards"
	"canopy/models"
)

// routes lists every route of the document with a path that could be asked.
func routes(t *testing.T) []ask {
	t.Helper()
	text, err := dashboards.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Security *[]map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	var list []ask
	for path, operations := range doc.Paths {
		for _, part := range [][2]string{{"{object}", "deal"}, {"{tree}", "b2b_pipeline"}} {
			path = strings.ReplaceAll(path, part[0], part[1])
		}
		if strings.Contains(path, "/records/") {
			path = strings.ReplaceAll(path, "{id}", "deal_1")
		}
		path = strings.ReplaceAll(path, "{id}", "1")
		for method, op := range operations {
			if op.Security != nil && len(*op.Security) == 0 {
				continue // answers without credentials
			}
			list = append(list, ask{method: strings.ToUpper(method), path: path})
		}
	}
	return list
}

// Every route but the few that say so refuses who is not known, before it looks at anything else.
func TestNothingAnswersWithoutCredentials(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t))
	h.ids["deal_1"] = h.deal("First", "")
	all, good := routes(t), h.session("admin@canopy.local")
	if len(all) < 25 {
		t.Fatalf("%d routes", len(all))
	}
	for _, q := range all {
		name := q.method + " " + q.path
		h.play(name+", nobody", scenario{q, 401, []string{`"code":"unauthenticated"`}, []string{"First"}})
		for what, header := range map[string]string{"wrong token": "Bearer canopy_AAAA", "no token": "Bearer ", "basic": "Basic YWRtaW46YWRtaW4=", "no scheme": h.tokens["admin"]} {
			q.header = map[string]string{"Authorization": header}
			h.play(name+", "+what, scenario{q, 401, nil, []string{"First"}})
		}
		q.header = map[string]string{"Cookie": "canopy_session=AAAA", "Origin": h.url}
		h.play(name+", wrong cookie", scenario{q, 401, nil, nil})
		// A bad token is not helped out by a good cookie.
		q.header = map[string]string{"Authorization": "Bearer canopy_AAAA", "Cookie": "canopy_session=" + good}
		h.play(name+", wrong token with a good cookie", scenario{q, 401, nil, nil})
	}
	for _, path := range []string{"/healthz", "/readyz", "/api/openapi.json"} {
		h.play(path, scenario{ask{method: "GET", path: path}, 200, nil, nil})
	}
	if a := h.send(ask{method: "GET", path: api + "/me"}); a.header.Get("WWW-Authenticate") == "" {
		t.Error("401 without WWW-Authenticate")
	}
}

// Writing routes refuse viewers and read-only tokens, whatever they are sent.
func TestViewersAndReadOnlyTokensWriteNothing(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t))
	h.deal("First", "")
	h.tokens["reading"] = h.token(h.userNumber("admin@canopy.local"), true)
	for _, q := range routes(t) {
		if q.method == "GET" {
			continue
		}
		q.as, q.body = "reading", `{}`
		h.play(q.method+" "+q.path+" by a read-only token", scenario{q, 403, []string{`"code":"forbidden"`}, nil})
	}
	h.play("reading by a read-only token", scenario{ask{as: "reading", method: "GET", path: api + "/records/deal"}, 200, []string{"First"}, nil})
	h.play("the deal is as it was", scenario{ask{as: "vic", method: "GET", path: api + "/records/deal/deal_1"}, 200, []string{`"version":1`, `"deleted":false`}, nil})
}

// session signs in and gives the cookie's value.
func (h *house) session(email string) string {
	h.Helper()
	secret, _, _, err := h.access.Login(h.Context(), email, password)
	if err != nil {
		h.Fatal(err)
	}
	return secret
}

func TestSession(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t)).giveKeys("eva")
	login := ask{method: "POST", path: api + "/session", body: `{"email":"eva@example.com","password":"` + password + `"}`}
	a := h.play("login", scenario{login, 200, []string{`"name":"Eva Editor"`, `"email":"eva@example.com"`, `"role":"editor"`, `"scope":{"kind":"all"}`, `"zone":"UTC"`, `"week_start":"monday"`, `"currency":"USD"`, `"locale":"en-US"`}, []string{password}})
	cookie := a.header.Get("Set-Cookie")
	for _, part := range []string{"canopy_session=", "HttpOnly", "SameSite=Lax", "Path=/"} {
		if !strings.Contains(cookie, part) {
			t.Errorf("no %s in %s", part, cookie)
		}
	}
	if strings.Contains(cookie, "Secure") {
		t.Errorf("Secure over plain HTTP: %s", cookie)
	}
	pair, _, _ := strings.Cut(cookie, ";")
	with := func(method, path, body string, more ...string) ask {
		q := ask{method: method, path: path, body: body, header: map[string]string{"Cookie": pair}}
		for i := 0; i+1 < len(more); i += 2 {
			q.header[more[i]] = more[i+1]
		}
		return q
	}
	create := `{"fields":{"name":"From a page"}}`
	accounts := api + "/records/account"
	own := strings.TrimPrefix(h.url, "http://")
	h.playAll([]named{
		{"me", scenario{with("GET", api+"/me", ""), 200, []string{"Eva Editor"}, nil}},
		{"read from anywhere is harmless", scenario{with("GET", api+"/me", "", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"), 200, nil, nil}},
		{"write without Origin", scenario{with("POST", accounts, create), 403, []string{"another site"}, nil}},
		{"write from another origin", scenario{with("POST", accounts, create, "Origin", "https://evil.example"), 403, []string{"another site"}, nil}},
		{"write from another port", scenario{with("POST", accounts, create, "Origin", "http://127.0.0.1:1"), 403, nil, nil}},
		{"write from a null origin", scenario{with("POST", accounts, create, "Origin", "null"), 403, nil, nil}},
		{"write cross-site by Sec-Fetch-Site", scenario{with("POST", accounts, create, "Origin", h.url, "Sec-Fetch-Site", "cross-site"), 403, nil, nil}},
		{"write same-site, not same-origin", scenario{with("POST", accounts, create, "Sec-Fetch-Site", "same-site"), 403, nil, nil}},
		{"upload from another origin", scenario{with("POST", api+"/imports", "x", "Origin", "https://evil.example", "Content-Type", "multipart/form-data; boundary=x"), 403, nil, nil}},
		{"nothing was written", scenario{with("GET", accounts+`?filter={"field":"name","op":"eq","value":"From%20a%20page"}`, ""), 200, []string{`"value":0`}, nil}},
		{"write from here", scenario{with("POST", accounts, create, "Origin", "http://"+own), 201, []string{"From a page"}, nil}},
		{"write from here by Sec-Fetch-Site", scenario{with("POST", accounts, `{"fields":{"name":"From a page too"}}`, "Sec-Fetch-Site", "same-origin"), 201, nil, nil}},
		{"its cause", scenario{with("GET", accounts+"/account_2/timeline", ""), 200, []string{`"cause":"screen"`}, nil}},
		{"login from another site", scenario{ask{method: "POST", path: api + "/session", body: login.body, header: map[string]string{"Origin": "https://evil.example"}}, 403, nil, nil}},
		{"wrong password", scenario{ask{method: "POST", path: api + "/session", body: `{"email":"eva@example.com","password":"wrong password"}`}, 401, []string{"e-mail address or password is wrong"}, []string{"wrong password"}}},
		{"unknown address", scenario{ask{method: "POST", path: api + "/session", body: `{"email":"nobody@example.com","password":"wrong password"}`}, 401, []string{"e-mail address or password is wrong"}, []string{"nobody"}}},
		{"a password too long", scenario{ask{method: "POST", path: api + "/session", body: `{"email":"eva@example.com","password":"` + strings.Repeat("secretsecret", 100) + `"}`}, 422, []string{`"field":"password"`}, []string{"secretsecret"}}},
		{"a password of another kind", scenario{ask{method: "POST", path: api + "/session", body: `{"email":"eva@example.com","password":["secretsecret"]}`}, 422, []string{`"field":"password"`}, []string{"secretsecret"}}},
		{"broken JSON", scenario{ask{method: "POST", path: api + "/session", body: `{"email":"eva@example.com","password":"secretsecret`}, 400, nil, []string{"secretsecret"}}},
		{"no body", scenario{ask{method: "POST", path: api + "/session"}, 400, nil, nil}},
		{"logout by token", scenario{ask{as: "eva", method: "DELETE", path: api + "/session"}, 422, []string{"Revoke the token"}, nil}},
		{"logout from another site", scenario{with("DELETE", api+"/session", "", "Origin", "https://evil.example"), 403, nil, nil}},
	})
	if a := h.play("logout", scenario{with("DELETE", api+"/session", "", "Origin", h.url), 204, nil, []string{"{"}}); !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("the cookie stays: %v", a.header)
	}
	if a := h.play("after logout", scenario{with("GET", api+"/me", ""), 401, nil, nil}); !strings.Contains(a.header.Get("Set-Cookie"), "canopy_session=;") {
		t.Errorf("a dead cookie stays: %v", a.header)
	}
	for _, secret := range []string{password, "secretsecret", strings.TrimPrefix(pair, "canopy_session="), h.tokens["eva"]} {
		if strings.Contains(h.log.String(), secret) {
			t.Errorf("the log holds a secret")
		}
	}
}

// stoppedClock keeps attempts from coming back while a slow machine counts them.
func stoppedClock(_ *house, c *dashboards.Config, _ *dashboards.Parts) {
	at := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	c.Now = func() time.Time { return at }
}

// Rights are today's: nothing is remembered between two requests.
func TestRightsAreTodays(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t)).giveKeys("eva")
	h.ids["deal_1"] = h.deal("First", "")
	cookie := map[string]string{"Cookie": "canopy_session=" + h.session("eva@example.com")}
	h.play("before", scenario{ask{method: "GET", path: api + "/records/deal/deal_1", header: cookie}, 200, nil, nil})
	h.play("scope is taken away", scenario{ask{as: "admin", method: "PATCH", path: api + "/records/user/{eva}", body: `{"fields":{"scope":"owner","role":"viewer"}}`, header: map[string]string{"If-Match": `"1"`}}, 200, nil, nil})
	h.play("after, by cookie", scenario{ask{method: "GET", path: api + "/records/deal/deal_1", header: cookie}, 404, nil, []string{"First"}})
	h.play("after, by token", scenario{ask{as: "eva", method: "GET", path: api + "/records/deal/deal_1"}, 404, nil, []string{"First"}})
	h.play("role", scenario{ask{as: "eva", method: "POST", path: api + "/records/account", body: `{"fields":{"name":"x"}}`}, 403, nil, nil})
	h.play("the user is put to sleep", scenario{ask{as: "admin", method: "PATCH", path: api + "/records/user/{eva}", body: `{"fields":{"active":false}}`, header: map[string]string{"If-Match": `"2"`}}, 200, nil, nil})
	h.play("by cookie", scenario{ask{method: "GET", path: api + "/me", header: cookie}, 401, nil, nil})
	h.play("by token", scenario{ask{as: "eva", method: "GET", path: api + "/me"}, 401, nil, nil})
}

func TestLoginIsLimited(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t, stoppedClock)).giveKeys("vic")
	try := func(email string) answer {
		return h.send(ask{method: "POST", path: api + "/session", body: fmt.Sprintf(`{"email":%q,"password":"wrong password"}`, email)})
	}
	for i := range 8 {
		if a := try("Eva@example.com"); a.status != 401 {
			t.Fatalf("try %d: %d %s", i, a.status, a.body)
		}
	}
	a := h.play("one too many", scenario{ask{method: "POST", path: api + "/session", body: `{"email":"eva@example.com","password":"` + password + `"}`}, 429, []string{`"code":"exhausted"`, `"remedy":`}, nil})
	if a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if a := h.send(ask{method: "POST", path: api + "/session", body: `{"email":"vic@example.com","password":"` + password + `"}`}); a.status != 200 {
		t.Errorf("another user: %d %s", a.status, a.body)
	}
	for i := range 12 {
		if a := try(fmt.Sprintf("nobody%d@example.com", i)); a.status != 401 {
			t.Fatalf("guess %d: %d %s", i, a.status, a.body)
		}
	}
	if a := try("somebody@example.com"); a.status != 429 {
		t.Errorf("twenty wrong tries from one address: %d", a.status)
	}
}

func TestSecureBehindAProxy(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t, stoppedClock, func(_ *house, c *dashboards.Config, _ *dashboards.Parts) {
		c.PublicURL = "https://crm.example.com"
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})).giveKeys("eva")
	body := `{"email":"eva@example.com","password":"` + password + `"}`
	a := h.play("login", scenario{ask{method: "POST", path: api + "/session", body: body, header: map[string]string{"Origin": "https://crm.example.com"}}, 200, nil, nil})
	if !strings.Contains(a.header.Get("Set-Cookie"), "Secure") || a.header.Get("Strict-Transport-Security") == "" {
		t.Errorf("headers: %v", a.header)
	}
	for i := range 21 {
		a = h.send(ask{method: "POST", path: api + "/session", body: fmt.Sprintf(`{"email":"n%d@example.com","password":"wrong password"}`, i), header: map[string]string{"X-Forwarded-For": "203.0.113.7, 198.51.100.9"}})
	}
	if a.status != 429 {
		t.Errorf("the 21st try of one client: %d", a.status)
	}
	for what, forwarded := range map[string]string{"another client": "198.51.100.10", "a client that lies about itself": "198.51.100.9, 198.51.100.11"} {
		if a := h.send(ask{method: "POST", path: api + "/session", body: body, header: map[string]string{"X-Forwarded-For": forwarded}}); a.status != 200 {
			t.Errorf("%s: %d", what, a.status)
		}
	}
	if _, err := dashboards.New(dashboards.Config{PublicURL: "crm.example.com/app"}, dashboards.Parts{}); err == nil {
		t.Error("a public URL that is none")
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var well atomic.Pointer[error]
	h := sqliteHouse(t, func(_ *house, _ *dashboards.Config, p *dashboards.Parts) {
		p.Checks = append(p.Checks, dashboards.Check{Name: "engine", Ready: func(context.Context) error {
			if err := well.Load(); err != nil {
				return *err
			}
			return nil
		}})
	})
	h.play("alive", scenario{ask{method: "GET", path: "/healthz"}, 200, []string{`"alive"`}, nil})
	h.play("ready", scenario{ask{method: "GET", path: "/readyz"}, 200, []string{`"ready":true`, `{"name":"store","ready":true}`, `{"name":"engine","ready":true}`}, nil})
	gone := errors.New("dial tcp 10.0.0.1:9000: secret detail")
	well.Store(&gone)
	if a := h.send(ask{method: "GET", path: "/readyz"}); a.status != 503 || !strings.Contains(a.body, `{"name":"engine","ready":false,"reason":"it does not answer"}`) || !strings.Contains(a.body, `"ready":false`) {
		t.Errorf("not ready: %d %s", a.status, a.body)
	}
	var starting error = models.Errorf(models.Unavailable, "the engine is starting again")
	well.Store(&starting)
	if a := h.send(ask{method: "GET", path: "/readyz"}); a.status != 503 || !strings.Contains(a.body, "the engine is starting again") {
		t.Errorf("not ready with a reason: %d %s", a.status, a.body)
	}
}

func TestMetricsAreForThisMachineAndAdministrators(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t))
	h.deal("First", "")
	h.send(ask{as: "vic", method: "GET", path: api + "/records/deal/deal_1"})
	want := []string{`canopy_http_request_seconds_count{method="GET",route="/api/v1/records/:object/:id",status="200"}`, `canopy_ready{part="store"} 1`, "go_goroutines", "process_resident_memory_bytes"}
	h.playAll([]named{
		{"from here", scenario{ask{method: "GET", path: "/metrics"}, 200, want, []string{"deal_1"}}},
		{"by a foreign name", scenario{ask{method: "GET", path: "/metrics", header: map[string]string{"Host": "crm.example.com"}}, 401, nil, nil}},
		{"through a proxy", scenario{ask{method: "GET", path: "/metrics", header: map[string]string{"X-Forwarded-For": "127.0.0.1"}}, 401, nil, nil}},
		{"through a proxy, viewer", scenario{ask{as: "vic", method: "GET", path: "/metrics", header: map[string]string{"X-Forwarded-For": "198.51.100.1"}}, 403, nil, []string{"go_goroutines"}}},
		{"through a proxy, administrator", scenario{ask{as: "admin", method: "GET", path: "/metrics", header: map[string]string{"X-Forwarded-For": "198.51.100.1"}}, 200, want[2:], nil}},
	})
}

// panicking is a part whose every method panics: a nil interface.
func TestPanicsAndFaultsAreCalm(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t)) // without relay, runs, trees: their handlers meet a nil part
	h.play("panic", scenario{ask{as: "admin", method: "GET", path: api + "/relay"}, 500, []string{`"code":"internal"`, "something went wrong on our side"}, []string{"nil pointer", "goroutine", ".go"}})
	if log := h.log.String(); !strings.Contains(log, "panic in a request") || !strings.Contains(log, "nil pointer") {
		t.Error("the panic is not in the log")
	}
	h.play("the next request", scenario{ask{as: "admin", method: "GET", path: api + "/me"}, 200, nil, nil})
	if err := h.closeStore(); err != nil {
		t.Fatal(err)
	}
	a := h.play("the store is gone", scenario{ask{as: "admin", method: "GET", path: api + "/me", header: map[string]string{"X-Request-Id": "my-request.17"}}, 500, []string{`"request_id":"my-request.17"`}, []string{"sql", "database"}})
	if a.header.Get("X-Request-Id") != "my-request.17" || !strings.Contains(h.log.String(), `"request_id":"my-request.17","error":"look up token`) {
		t.Errorf("request id: %v", a.header)
	}
	if a := h.send(ask{method: "GET", path: "/healthz", header: map[string]string{"X-Request-Id": "bad id <script>"}}); a.header.Get("X-Request-Id") == "bad id <script>" {
		t.Error("a made-up request id was taken over")
	}
	if a := h.send(ask{method: "GET", path: "/readyz"}); a.status != 503 {
		t.Errorf("ready without a store: %d %s", a.status, a.body)
	}
}

// pages is a small web.
type pages map[string]*dashboards.File

func (p pages) Find(path, acceptEncoding string) *dashboards.File {
	if f := p[path+".br"]; f != nil && strings.Contains(acceptEncoding, "br") {
		return f
	}
	return p[path]
}

func TestFilesAndUnknownPaths(t *testing.T) {
	t.Parallel()
	h := sqliteHouse(t, func(_ *house, _ *dashboards.Config, p *dashboards.Parts) {
		p.Files = pages{
			"index.html":          {Body: []byte("<html>Canopy</html>"), ContentType: "text/html; charset=utf-8", ETag: `"i"`},
			"assets/app-1.js":     {Body: []byte("plain"), ContentType: "text/javascript", ETag: `"a"`, Immutable: true},
			"assets/app-1.js.br":  {Body: []byte("brotli"), ContentType: "text/javascript", ETag: `"b"`, Immutable: true, Encoding: "br"},
			"../../etc/passwd.br": {Body: []byte("root")},
		}
	})
	a := h.play("start", scenario{ask{method: "GET", path: "/"}, 200, []string{"Canopy"}, nil})
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
		"Cache-Control": "no-cache", "Content-Type": "text/html; charset=utf-8", "X-Frame-Options": "DENY",
	} {
		if !strings.HasPrefix(a.header.Get(name), want) {
			t.Errorf("%s: %q", name, a.header.Get(name))
		}
	}
	if !strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("policy: %s", a.header.Get("Content-Security-Policy"))
	}
	a = h.play("asset", scenario{ask{method: "GET", path: "/assets/app-1.js", header: map[string]string{"Accept-Encoding": "gzip, br"}}, 200, []string{"brotli"}, nil})
	if a.header.Get("Content-Encoding") != "br" || a.header.Get("Cache-Control") != "public, max-age=31536000, immutable" || a.header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("asset: %v", a.header)
	}
	h.playAll([]named{
		{"asset, plain", scenario{ask{method: "GET", path: "/assets/app-1.js", header: map[string]string{"Accept-Encoding": "identity"}}, 200, []string{"plain"}, nil}},
		{"asset not changed", scenario{ask{method: "GET", path: "/assets/app-1.js", header: map[string]string{"If-None-Match": `W/"a"`, "Accept-Encoding": "identity"}}, 304, nil, []string{"plain"}}},
		{"a page of the application", scenario{ask{method: "GET", path: "/deals/deal_1"}, 200, []string{"Canopy"}, nil}},
		{"a file that is not there", scenario{ask{method: "GET", path: "/assets/app-2.js"}, 404, []string{`"code":"not_found"`}, []string{"<html>"}}},
		{"out of the tree", scenario{ask{method: "GET", path: "/..%2f..%2fetc/passwd.br"}, 404, nil, []string{"root"}}},
		{"unknown in the API", scenario{ask{method: "GET", path: "/api/v2/deals"}, 404, []string{`"code":"not_found"`}, []string{"<html>"}}},
		{"unknown in the API, signed in", scenario{ask{as: "admin", method: "GET", path: api + "/unicorns"}, 404, []string{`"code":"not_found"`}, []string{"<html>"}}},
		{"a method that a route does not have", scenario{ask{as: "admin", method: "PUT", path: api + "/me"}, 404, []string{`"code":"not_found"`}, nil}},
		{"a write to a page", scenario{ask{method: "POST", path: "/deals"}, 405, nil, nil}},
		{"a line that is too long", scenario{ask{as: "admin", method: "GET", path: api + "/records/deal?filter=" + strings.Repeat("x", 20_000)}, 422, nil, nil}},
	})
}

// The access log names route, status, user and what was filtered for, and no secret.
func TestAccessLog(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t))
	h.send(ask{as: "eva", method: "GET", path: api + `/records/deal?filter={"field":"name","op":"eq","value":"Looked%20for"}&token=` + h.tokens["eva"]})
	h.eventually("the log's line", func() bool { return strings.Contains(h.log.String(), "Looked+for") })
	log := h.log.String()
	for _, text := range []string{`"route":"/api/v1/records/:object"`, `"status":422`, `"user":`, `"request_id":`, `"address":"127.0.0.1"`} {
		if !strings.Contains(log, text) {
			t.Errorf("no %s in the log", text)
		}
	}
	if strings.Contains(log, h.tokens["eva"]) {
		t.Error("a token in the log")
	}
}

// A browser's whole visit, with a cookie jar in place of headers by hand.
func TestVisit(t *testing.T) {
	t.Parallel()
	h := sales(sqliteHouse(t)).giveKeys("eva")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	do := func(method, path, body string) int {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, h.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Origin", h.url)
		response, err := browser.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		return response.StatusCode
	}
	for _, step := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", api + "/me", "", 401}, {"POST", api + "/session", `{"email":"eva@example.com","password":"` + password + `"}`, 200}, {"GET", api + "/me", "", 200},
		{"POST", api + "/records/account", `{"fields":{"name":"Visited"}}`, 201}, {"DELETE", api + "/session", "", 204}, {"GET", api + "/me", "", 401},
	} {
		if got := do(step.method, step.path, step.body); got != step.want {
			t.Errorf("%s %s: %d, wanted %d", step.method, step.path, got, step.want)
		}
	}
	browser.CloseIdleConnections()
}

// docs/openapi.json is what the program says of itself: canopy openapi > docs/openapi.json writes it.
func TestDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	now, err := dashboards.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile(filepath.Join("..", "docs", "openapi.json"))
	if err != nil {
		t.Fatal(err)
	}
	if string(now)+"\n" != string(kept) {
		t.Error("docs/openapi.json is not current: run canopy openapi > docs/openapi.json")
	}
	h := sqliteHouse(t)
	if a := h.send(ask{method: "GET", path: "/api/openapi.json"}); a.body != string(now) || a.header.Get("Content-Type") != "application/openapi+json" {
		t.Errorf("served: %d bytes of %s", len(a.body), a.header.Get("Content-Type"))
	}
}
