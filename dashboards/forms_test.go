package dashboards_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/dashboards"
)

// shop is a house that takes forms and webhooks, with a clock that tests move.
type shop struct {
	*house
	ahead atomic.Int64
}

func (s *shop) now() time.Time { return time.Now().Add(time.Duration(s.ahead.Load())) }

func (s *shop) wait(d time.Duration) { s.ahead.Add(int64(d)) }

func openShop(t *testing.T, c store.Config) *shop {
	t.Helper()
	s := &shop{}
	s.house = openHouse(t, c, func(h *house, c *dashboards.Config, p *dashboards.Parts) {
		signer, err := crm.NewSigner(h.Context(), h.db, s.now)
		if err != nil {
			h.Fatal(err)
		}
		p.Signer, p.Secrets, c.Now = signer, h.db, s.now
	})
	return s
}

var tokenIn = regexp.MustCompile(`name="form_token" value="([^"]+)"`)

// fill opens a form, waits as a person does, and sends it. cookie is what the browser holds; the new one is given back.
func (s *shop) fill(slug, query, cookie string, values url.Values) (answer, string) {
	s.Helper()
	header := map[string]string{"Cookie": cookie}
	opened := s.send(ask{method: "GET", path: "/f/" + slug + query, header: header})
	found := tokenIn.FindStringSubmatch(opened.body)
	if found == nil {
		s.Fatalf("no token in %s", opened.body)
	}
	for _, hidden := range regexp.MustCompile(`type="hidden" name="([^"]+)" value="([^"]*)"`).FindAllStringSubmatch(opened.body, -1) {
		values.Set(hidden[1], strings.ReplaceAll(hidden[2], "&amp;", "&"))
	}
	s.wait(time.Minute)
	sent := s.send(ask{method: "POST", path: "/f/" + slug, body: values.Encode(), header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}})
	if set := sent.header.Get("Set-Cookie"); set != "" {
		cookie, _, _ = strings.Cut(set, ";")
	}
	return sent, cookie
}

func (s *shop) list(object string) []map[string]any {
	s.Helper()
	a := s.send(ask{as: "admin", method: "GET", path: api + "/records/" + object + "?sort=number"})
	var page struct {
		Items []struct{ Fields map[string]any }
	}
	if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != 200 {
		s.Fatalf("list %s: %d %s", object, a.status, a.body)
	}
	list := make([]map[string]any, len(page.Items))
	for i, item := range page.Items {
		list[i] = item.Fields
	}
	return list
}

const askName = `[{"field":"name","required":true},{"field":"email","label":"Work e-mail","required":true},{"field":"company","progressive":true},{"field":"job_title","progressive":true}]`

func quoted(text string) string {
	b, _ := json.Marshal(text)
	return string(b)
}

func TestFormsMakeLeads(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		s := openShop(t, c)
		s.make("form", `{"name":"Talk to us","slug":"talk","fields":`+quoted(askName)+`,"source":"website","allowed_origins":"https://www.example.com"}`)
		first, cookie := s.fill("talk", "?utm_source=google&utm_medium=cpc&utm_campaign=Spring&ref=https://www.google.com/", "", url.Values{"name": {"Anna <Alder>"}, "email": {"anna@example.com"}})
		if first.status != 200 || !strings.Contains(first.body, "Thank you") {
			t.Fatalf("a form that is well filled in is thanked for: %d %s", first.status, first.body)
		}
		lead := s.list("lead")[0]
		if lead["name"] != "Anna <Alder>" || lead["source"] != "website" || lead["first_source"] != "google" || lead["first_channel"] != "paid_search" || lead["record_state"] != "active" {
			t.Errorf("the lead has the answers and the touch: %v", lead)
		}
		asked := s.send(ask{method: "GET", path: "/f/talk", header: map[string]string{"Cookie": cookie}})
		if strings.Contains(asked.body, `name="email"`) || !strings.Contains(asked.body, `name="company"`) || strings.Contains(asked.body, "anna@example.com") || strings.Contains(asked.body, "Alder") {
			t.Errorf("the next visit asks the next questions and shows nothing that is known: %s", asked.body)
		}
		s.fill("talk", "?utm_source=newsletter", cookie, url.Values{"company": {"Alder & Co"}})
		s.fill("talk", "", "", url.Values{"name": {"Somebody else"}, "email": {"ANNA@example.com"}})
		leads := s.list("lead")
		if len(leads) != 1 || leads[0]["company"] != "Alder & Co" || leads[0]["name"] != "Anna <Alder>" || leads[0]["first_source"] != "google" || leads[0]["last_channel"] != "direct" {
			t.Errorf("later submissions fill what is empty, keep what is there and the first touch: %v", leads)
		}
		if touches := s.list("touch"); len(touches) != 3 {
			t.Errorf("each submission is a touch: %d", len(touches))
		}
		stranger := s.send(ask{method: "GET", path: "/f/talk?email=anna@example.com"})
		if !strings.Contains(stranger.body, `name="email"`) || strings.Contains(stranger.body, "Alder") {
			t.Error("typing an address is no way to be known")
		}
		s.make("contact", `{"name":"Bert","email":"bert@example.com"}`)
		s.fill("talk", "", "", url.Values{"name": {"Bert"}, "email": {"bert@example.com"}})
		if tasks := s.list("task"); len(s.list("lead")) != 1 || len(tasks) != 1 || tasks[0]["subject"] != "Bert sent the form Talk to us" {
			t.Errorf("a contact gets a touch and its owner a task: %v", tasks)
		}
	})
}

func TestFormsRefuseInWordsAndKeepEverything(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		s := openShop(t, c)
		s.make("form", `{"name":"Talk to us","slug":"talk","fields":`+quoted(askName)+`,"source":"website","allowed_origins":"https://www.example.com"}`)
		wrong, _ := s.fill("talk", "", "", url.Values{"name": {"Anna"}, "email": {"nowhere"}})
		if wrong.status != 422 || !strings.Contains(wrong.body, `id="q-email-wrong"`) || !strings.Contains(wrong.body, "is not an e-mail address") || !strings.Contains(wrong.body, `value="Anna"`) {
			t.Errorf("what is wrong is said beside the field, and nothing typed is lost: %d %s", wrong.status, wrong.body)
		}
		trapped, _ := s.fill("talk", "", "", url.Values{"name": {"Bot"}, "email": {"bot@example.com"}, "fax_number": {"1"}})
		if trapped.status != 200 || !strings.Contains(trapped.body, "Thank you") {
			t.Error("a program is thanked like a person")
		}
		opened := s.send(ask{method: "GET", path: "/f/talk"})
		values := url.Values{"name": {"Q"}, "email": {"q@example.com"}, "form_token": {tokenIn.FindStringSubmatch(opened.body)[1]}}
		post := func(values url.Values, header map[string]string) answer {
			header["Content-Type"] = "application/x-www-form-urlencoded"
			return s.send(ask{method: "POST", path: "/f/talk", body: values.Encode(), header: header})
		}
		if quick := post(values, map[string]string{}); quick.status != 422 || !strings.Contains(quick.body, "press Send once more") {
			t.Errorf("what comes at once is asked for again: %d", quick.status)
		}
		s.wait(time.Minute)
		if foreign := post(values, map[string]string{"Origin": "https://evil.example"}); foreign.status != 403 {
			t.Errorf("another site sends the form: %d", foreign.status)
		}
		if ours := post(values, map[string]string{"Origin": "https://www.example.com"}); ours.status != 200 || ours.header.Get("Access-Control-Allow-Origin") != "https://www.example.com" {
			t.Errorf("an allowed site sends the form: %d %v", ours.status, ours.header)
		}
		s.wait(48 * time.Hour)
		if stale := post(values, map[string]string{}); stale.status != 422 || !strings.Contains(stale.body, "open for too long") {
			t.Errorf("an old page is opened anew: %d", stale.status)
		}
		values.Set("form_token", "forged.token")
		if forged := post(values, map[string]string{}); forged.status != 422 {
			t.Errorf("a forged token: %d", forged.status)
		}
		states := map[any]int{}
		for _, submission := range s.list("form_submission") {
			states[submission["state"]]++
		}
		if len(s.list("lead")) != 1 || states["refused"] != 1 || states["spam"] != 1 || states["accepted"] != 1 {
			t.Errorf("every submission is kept with its state: %v", states)
		}
		if gone := s.send(ask{method: "GET", path: "/f/nothing"}); gone.status != 404 || !strings.Contains(gone.body, "<main>") {
			t.Errorf("a form that is not there is a calm page: %d", gone.status)
		}
		big := url.Values{"name": {strings.Repeat("x", 70_000)}}
		if large := post(big, map[string]string{}); large.status != 413 {
			t.Errorf("a submission has a size: %d", large.status)
		}
		page := s.send(ask{method: "GET", path: "/f/talk"})
		if policy := page.header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'self' https://www.example.com") || page.header.Get("X-Frame-Options") != "" {
			t.Errorf("only the form's sites may frame it: %s", policy)
		}
		for range 12 {
			page = post(values, map[string]string{})
		}
		if page.status != 429 {
			t.Errorf("one address sends a form only so often: %d", page.status)
		}
	})
}

func TestDoubleOptIn(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		s := openShop(t, c)
		s.make("form", `{"name":"News","slug":"news","fields":`+quoted(askName)+`,"source":"website","double_opt_in":true}`)
		sent, _ := s.fill("news", "?utm_source=linkedin", "", url.Values{"name": {"Anna"}, "email": {"anna@example.com"}})
		if sent.status != 200 || !strings.Contains(sent.body, "has to be confirmed") || len(s.list("lead")) != 0 {
			t.Fatalf("nothing is made before the address is confirmed: %s", sent.body)
		}
		message := s.list("outbox_message")[0]["body"].(string)
		link := regexp.MustCompile(`/f/news/confirm\S+`).FindString(message)
		if other := s.send(ask{method: "GET", path: link + "x"}); other.status != 422 {
			t.Errorf("a changed link confirms nothing: %d", other.status)
		}
		for range 2 {
			if done := s.send(ask{method: "GET", path: link}); done.status != 200 || !strings.Contains(done.body, "confirmed") {
				t.Errorf("confirming: %d %s", done.status, done.body)
			}
		}
		leads := s.list("lead")
		if len(leads) != 1 || leads[0]["first_channel"] != "organic_social" || s.list("form_submission")[0]["state"] != "accepted" || len(s.list("touch")) != 1 {
			t.Errorf("the link works once: %v", leads)
		}
		s.fill("news", "", "", url.Values{"name": {"Bert"}, "email": {"bert@example.com"}})
		link = regexp.MustCompile(`/f/news/confirm\S+`).FindString(s.list("outbox_message")[1]["body"].(string))
		s.wait(80 * time.Hour)
		if expired := s.send(ask{method: "GET", path: link}); expired.status != 422 || !strings.Contains(expired.body, "expired") {
			t.Errorf("a link has an end: %d", expired.status)
		}
	})
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		s := openShop(t, c)
		s.person("Eva Editor", `"role":"editor","scope":"all"`)
		mapping := `{"name":{"path":"person.name"},"email":{"path":"person.mails.0"},"status":{"path":"state","values":{"hot":"mql"}},"source":{"value":"partner"},"external_id":{"path":"id"}}`
		s.ids["hook"] = s.make("webhook_source", `{"name":"Partner","slug":"partner","object":"lead","key":"external_id","mapping":`+quoted(mapping)+`}`)
		s.play("an editor makes a secret", scenario{ask{as: "eva", method: "POST", path: api + "/webhooks/{hook}/secret"}, 403, nil, []string{"secret\""}})
		var made struct{ Secret string }
		if err := json.Unmarshal([]byte(s.play("a secret is shown once", scenario{ask{as: "admin", method: "POST", path: api + "/webhooks/{hook}/secret"}, 200, []string{"secret"}, nil}).body), &made); err != nil {
			t.Fatal(err)
		}
		deliver := func(id, body string, at time.Time) answer {
			mac := hmac.New(sha256.New, []byte(made.Secret))
			fmt.Fprintf(mac, "%d.%s", at.Unix(), body)
			return s.send(ask{method: "POST", path: api + "/hooks/partner", body: body, header: map[string]string{
				"Canopy-Signature": fmt.Sprintf("t=%d,v1=%s", at.Unix(), hex.EncodeToString(mac.Sum(nil))), "Canopy-Delivery": id,
			}})
		}
		good := `{"id":"P-1","state":"hot","person":{"name":"Anna","mails":["Anna@Example.com"]}}`
		if a := deliver("d1", good, s.now()); a.status != 200 || !strings.Contains(a.body, `"record":"lead_1"`) {
			t.Fatalf("a signed delivery makes a lead: %d %s", a.status, a.body)
		}
		if a := deliver("d1", good, s.now()); !strings.Contains(a.body, `"repeated":true`) || len(s.list("lead")) != 1 {
			t.Errorf("the same delivery again writes nothing: %s", a.body)
		}
		if a := deliver("d1", `{"id":"P-9"}`, s.now()); a.status != 409 {
			t.Errorf("another delivery under the same id: %d", a.status)
		}
		if a := deliver("d2", strings.Replace(good, "Anna\"", "Anna A\"", 1), s.now()); a.status != 200 || s.list("lead")[0]["name"] != "Anna A" || s.list("lead")[0]["status"] != "mql" {
			t.Errorf("the key updates: %d %s", a.status, a.body)
		}
		for name, a := range map[string]answer{
			"an old signature": deliver("d3", good, s.now().Add(-6*time.Minute)), "one of the future": deliver("d3", good, s.now().Add(6*time.Minute)),
			"none":             s.send(ask{method: "POST", path: api + "/hooks/partner", body: good}),
			"another's secret": s.send(ask{method: "POST", path: api + "/hooks/partner", body: good, header: map[string]string{"Canopy-Signature": fmt.Sprintf("t=%d,v1=00ff", s.now().Unix())}}),
		} {
			if a.status != 401 {
				t.Errorf("%s: %d %s", name, a.status, a.body)
			}
		}
		dead := deliver("d4", `{"id":"P-2","state":"lukewarm","person":{"name":"Bert","mails":["nowhere"]}}`, s.now())
		if dead.status != 422 || !strings.Contains(dead.body, `"field":"email"`) || !strings.Contains(dead.body, `"field":"status"`) {
			t.Errorf("errors are told field by field: %d %s", dead.status, dead.body)
		}
		deliveries := s.list("webhook_delivery")
		last := deliveries[len(deliveries)-1]
		if last["state"] != "dead" || !strings.Contains(last["reason"].(string), "lukewarm") || !strings.Contains(last["body"].(string), "Bert") || len(s.list("lead")) != 1 {
			t.Errorf("a dead delivery is kept whole, with the reason: %v", last)
		}
		id := fmt.Sprintf("webhook_delivery_%d", len(deliveries))
		s.play("it stays dead", scenario{ask{as: "admin", method: "POST", path: api + "/webhooks/deliveries/" + id + "/replay"}, 200, []string{`"state":"dead"`}, nil})
		mapping = strings.Replace(mapping, `{"hot":"mql"}`, `{"hot":"mql","lukewarm":"new"}`, 1)
		mapping = strings.Replace(mapping, `"email":{"path":"person.mails.0"},`, ``, 1)
		s.play("the mapping is mended", scenario{ask{as: "admin", method: "PATCH", path: api + "/records/webhook_source/{hook}", body: `{"fields":{"mapping":` + quoted(mapping) + `}}`, header: map[string]string{"If-Match": `"1"`}}, 200, nil, nil})
		s.play("played again it lives", scenario{ask{as: "admin", method: "POST", path: api + "/webhooks/deliveries/" + id + "/replay"}, 200, []string{`"state":"accepted"`, `"record":"lead_`}, nil})
		s.play("an editor plays", scenario{ask{as: "eva", method: "POST", path: api + "/webhooks/deliveries/" + id + "/replay"}, 403, nil, nil})
		if log := s.log.String(); strings.Contains(log, made.Secret) {
			t.Error("a secret is in the log")
		}
		changes := s.send(ask{as: "admin", method: "GET", path: api + "/changes?limit=1000"})
		if strings.Contains(changes.body, made.Secret) {
			t.Error("a secret is in the change log")
		}
	})
}
