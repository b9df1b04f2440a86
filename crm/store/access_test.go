package store_test

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"

	"golang.org/x/crypto/argon2"
	_ "modernc.org/sqlite" // reads the file behind the store's back
)

// accessWorld is the access service over a fresh store, with its first administrator.
type accessWorld struct {
	*testing.T
	access *crm.Access
	engine *crm.Engine
	db     *store.DB
	clock  *storetest.Clock
	admin  models.Reader
}

const adminPassword = "correct horse battery"

var accessStart = time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)

func newAccessWorld(t *testing.T, c store.Config) *accessWorld {
	db := storetest.Open(t, c)
	clock := &storetest.Clock{At: accessStart}
	w := &accessWorld{T: t, db: db, clock: clock, engine: storetest.Engine(t, db, clock), access: crm.NewAccess(db, clock.Now)}
	shown, err := w.access.EnsureAdministrator(t.Context(), w.engine, w.engine.Registry(), adminPassword)
	if err != nil || shown != "" {
		t.Fatalf("first administrator: %q, %v", shown, err)
	}
	_, w.admin = w.login(crm.AdministratorEmail, adminPassword)
	return w
}

func (w *accessWorld) login(email, password string) (string, models.Reader) {
	w.Helper()
	secret, _, reader, err := w.access.Login(w.Context(), email, password)
	if err != nil {
		w.Fatalf("login of %s: %v", email, err)
	}
	return secret, reader
}

func (w *accessWorld) refused(what string, err error, code models.Code) {
	w.Helper()
	if models.CodeOf(err) != code || err == nil {
		w.Errorf("%s: wanted %s, got %v", what, code, err)
	}
}

// do writes one record as the administrator and gives its number.
func (w *accessWorld) do(op models.Op, object string, number uint64, fields map[string]models.Value) uint64 {
	w.Helper()
	o := w.engine.Registry().Object(object)
	command := models.Command{Op: op, Object: object, Number: number}
	for _, f := range o.Fields {
		if v, ok := fields[f.Name]; ok {
			command.Sets = append(command.Sets, models.Set{Field: f, Value: v})
		}
	}
	outcome, err := w.engine.Do(w.Context(), w.admin, command)
	if err != nil {
		w.Fatalf("%s %s: %v", op, object, err)
	}
	return outcome.Record.Number
}

func (w *accessWorld) user(name string, fields map[string]models.Value) uint64 {
	w.Helper()
	fields["name"], fields["email"] = name, strings.ToLower(name)+"@example.com"
	number := w.do(models.Create, "user", 0, fields)
	if err := w.access.SetPassword(w.Context(), w.admin, number, "a password of "+name); err != nil {
		w.Fatal(err)
	}
	return number
}

func TestAccess(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*accessWorld){
		"login": testLogin, "old hashes are renewed": testOldHashes, "sessions slide and end": testSessionsEnd, "tokens": testTokens, "rights are today's": testRightsAreTodays,
		"scope": testScope, "keys are kept by their owner": testWhoKeepsKeys, "first administrator": testFirstAdministrator, "unknown is one answer": testUnknownIsOneAnswer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Each(t, func(t *testing.T, c store.Config) { test(newAccessWorld(t, c)) })
		})
	}
}

func sqliteFile(t testing.TB) store.Config {
	return store.Config{Path: filepath.Join(t.TempDir(), "canopy.db")}
}

func testLogin(w *accessWorld) {
	secret, reader := w.login("  Admin@Canopy.local ", adminPassword)
	if reader.Role != models.Administrator || !reader.SeesAll() || reader.ReadOnly || reader.Name != "Administrator" || reader.User == 0 {
		w.Errorf("reader of the login: %+v", reader)
	}
	again, err := w.access.BySession(w.Context(), secret)
	if err != nil || again.User != reader.User {
		w.Errorf("by session: %+v, %v", again, err)
	}
	if len(secret) != 43 {
		w.Errorf("a secret of 256 bits is 43 characters, this one has %d", len(secret))
	}
	if err := w.access.Logout(w.Context(), secret); err != nil {
		w.Fatal(err)
	}
	_, err = w.access.BySession(w.Context(), secret)
	w.refused("session after logout", err, models.Unauthenticated)
	if err := w.access.Logout(w.Context(), secret); err != nil {
		w.Errorf("second logout: %v", err)
	}
}

// A hash that was made at another cost is good, and is replaced by one of today's at the next login; one that cannot be
// read lets nobody in.
func testOldHashes(w *accessWorld) {
	ctx := w.Context()
	salt := []byte("sixteen bytes ok")
	b64 := base64.RawStdEncoding.EncodeToString
	old := "$argon2id$v=19$m=8192,t=1,p=2$" + b64(salt) + "$" + b64(argon2.IDKey([]byte(adminPassword), salt, 1, 8192, 2, 32))
	if err := w.db.SavePassword(ctx, w.admin.User, old, accessStart); err != nil {
		w.Fatal(err)
	}
	_, _, _, err := w.access.Login(ctx, crm.AdministratorEmail, "wrong password")
	w.refused("wrong password against an old hash", err, models.Unauthenticated)
	if _, phc, err := w.db.AccountByEmail(ctx, crm.AdministratorEmail); err != nil || phc != old {
		w.Errorf("a wrong password changed the hash: %s, %v", phc, err)
	}
	w.login(crm.AdministratorEmail, adminPassword)
	_, renewed, err := w.db.AccountByEmail(ctx, crm.AdministratorEmail)
	if err != nil || !strings.HasPrefix(renewed, "$argon2id$v=19$m=19456,t=2,p=1$") {
		w.Errorf("renewed: %s, %v", renewed, err)
	}
	w.login(crm.AdministratorEmail, adminPassword)
	for _, broken := range []string{"x", "$argon2i$v=19$m=8192,t=1,p=2$c2FsdA$aGFzaA", "$argon2id$v=18$m=8192,t=1,p=2$c2FsdA$aGFzaA", "$argon2id$v=19$m=8192,t=0,p=2$c2FsdA$aGFzaA",
		"$argon2id$v=19$m=99999999,t=1,p=2$c2FsdA$aGFzaA", "$argon2id$v=19$m=8192,t=1,p=2$!$aGFzaA", "$argon2id$v=19$m=8192,t=1,p=2$c2FsdA$"} {
		if err := w.db.SavePassword(ctx, w.admin.User, broken, accessStart); err != nil {
			w.Fatal(err)
		}
		_, _, _, err := w.access.Login(ctx, crm.AdministratorEmail, adminPassword)
		w.refused(broken, err, models.Internal)
	}
}

// All ways of not getting in read the same.
func testUnknownIsOneAnswer(w *accessWorld) {
	w.do(models.Create, "user", 0, map[string]models.Value{"name": "No Password", "email": "none@example.com"})
	w.user("Asleep", map[string]models.Value{"active": false})
	gone := w.user("Gone", map[string]models.Value{})
	w.do(models.Delete, "user", gone, nil)
	var said []string
	for _, pair := range [][2]string{
		{crm.AdministratorEmail, "wrong password"}, {crm.AdministratorEmail, ""}, {"nobody@example.com", adminPassword}, {"none@example.com", ""},
		{"none@example.com", "anything at all"}, {"asleep@example.com", "a password of Asleep"}, {"gone@example.com", "a password of Gone"},
		{crm.AdministratorEmail, strings.Repeat("x", 5_000)}, {"' or 1=1 --", "x"},
	} {
		_, _, reader, err := w.access.Login(w.Context(), pair[0], pair[1])
		w.refused(pair[0], err, models.Unauthenticated)
		if reader.Role != "" {
			w.Errorf("%s: a refused login gave the reader %+v", pair[0], reader)
		}
		if err != nil {
			said = append(said, err.Error())
		}
	}
	slices.Sort(said)
	if said = slices.Compact(said); len(said) != 1 {
		w.Errorf("refusals can be told apart: %q", said)
	}
}

func testSessionsEnd(w *accessWorld) {
	idle, _ := w.login(crm.AdministratorEmail, adminPassword)
	used, _ := w.login(crm.AdministratorEmail, adminPassword)
	for at := accessStart; at.Before(accessStart.Add(crm.SessionAbsolute)); at = at.Add(13 * 24 * time.Hour) {
		w.clock.At = at
		if _, err := w.access.BySession(w.Context(), used); err != nil {
			w.Fatalf("used session on day %d: %v", int(at.Sub(accessStart).Hours()/24), err)
		}
	}
	w.clock.At = accessStart.Add(crm.SessionAbsolute)
	_, err := w.access.BySession(w.Context(), used)
	w.refused("session past its absolute end", err, models.Unauthenticated)

	w.clock.At = accessStart.Add(crm.SessionIdle - time.Second)
	_, err = w.access.BySession(w.Context(), idle)
	if err != nil {
		w.Errorf("a second before its idle end: %v", err)
	}
	w.clock.At = accessStart.Add(2 * crm.SessionIdle)
	_, err = w.access.BySession(w.Context(), idle)
	w.refused("session past its idle end", err, models.Unauthenticated)
	_, err = w.access.BySession(w.Context(), "")
	w.refused("no secret", err, models.Unauthenticated)
}

func testTokens(w *accessWorld) {
	secret, token, err := w.access.CreateToken(w.Context(), w.admin, crm.NewToken{Name: " nightly export ", ReadOnly: true, ExpiresAt: accessStart.Add(time.Hour)})
	if err != nil || !strings.HasPrefix(secret, "canopy_") || token.Name != "nightly export" {
		w.Fatalf("token %q %+v: %v", secret, token, err)
	}
	reader, err := w.access.ByToken(w.Context(), secret)
	if err != nil || !reader.ReadOnly || reader.User != w.admin.User || reader.MayWrite(models.Viewer) {
		w.Errorf("reader by token: %+v, %v", reader, err)
	}
	listed, err := w.access.ListTokens(w.Context(), w.admin)
	if err != nil || len(listed) != 1 || !listed[0].UsedAt.Equal(accessStart) || !listed[0].RevokedAt.IsZero() {
		w.Errorf("listed: %+v, %v", listed, err)
	}
	w.clock.At = accessStart.Add(time.Hour)
	_, err = w.access.ByToken(w.Context(), secret)
	w.refused("expired token", err, models.Unauthenticated)

	lasting, token, err := w.access.CreateToken(w.Context(), w.admin, crm.NewToken{Name: "lasting"})
	if err != nil {
		w.Fatal(err)
	}
	w.clock.At = accessStart.AddDate(5, 0, 0)
	if reader, err := w.access.ByToken(w.Context(), lasting); err != nil || reader.ReadOnly {
		w.Errorf("lasting token: %+v, %v", reader, err)
	}
	if err := w.access.RevokeToken(w.Context(), w.admin, token.Number); err != nil {
		w.Fatal(err)
	}
	if err := w.access.RevokeToken(w.Context(), w.admin, token.Number); err != nil {
		w.Errorf("revoked twice: %v", err)
	}
	_, err = w.access.ByToken(w.Context(), lasting)
	w.refused("revoked token", err, models.Unauthenticated)
	for _, wrong := range []string{"", "canopy_", lasting + "x", strings.TrimPrefix(lasting, "canopy_")} {
		_, err = w.access.ByToken(w.Context(), wrong)
		w.refused("wrong token", err, models.Unauthenticated)
	}
	for _, n := range []crm.NewToken{{Name: " "}, {Name: strings.Repeat("n", 101)}, {Name: "late", ExpiresAt: accessStart}, {Name: "nobody's", User: 9999}} {
		_, _, err := w.access.CreateToken(w.Context(), w.admin, n)
		w.refused("token "+n.Name, err, models.Invalid)
	}
}

func testRightsAreTodays(w *accessWorld) {
	user := w.user("Mona", map[string]models.Value{"role": "editor", "scope": "all"})
	session, _ := w.login("mona@example.com", "a password of Mona")
	secret, _, err := w.access.CreateToken(w.Context(), w.admin, crm.NewToken{Name: "hers", User: user})
	if err != nil {
		w.Fatal(err)
	}
	both := func() (models.Reader, error) {
		w.Helper()
		a, errA := w.access.BySession(w.Context(), session)
		b, errB := w.access.ByToken(w.Context(), secret)
		if (errA == nil) != (errB == nil) || a.Role != b.Role || a.Scope != b.Scope {
			w.Errorf("session says %+v, %v; token says %+v, %v", a, errA, b, errB)
		}
		return a, errors.Join(errA, errB)
	}
	if r, err := both(); err != nil || r.Role != models.Editor {
		w.Errorf("at first: %+v, %v", r, err)
	}
	w.do(models.Update, "user", user, map[string]models.Value{"role": "viewer", "scope": "owner"})
	if r, err := both(); err != nil || r.Role != models.Viewer || r.Scope != models.ScopeOwner {
		w.Errorf("right after the change: %+v, %v", r, err)
	}
	w.do(models.Update, "user", user, map[string]models.Value{"active": false})
	_, err = both()
	w.refused("inactive", err, models.Unauthenticated)
	w.do(models.Update, "user", user, map[string]models.Value{"active": true})
	if _, err := both(); err != nil {
		w.Errorf("active again: %v", err)
	}
	w.do(models.Delete, "user", user, nil)
	_, err = both()
	w.refused("deleted", err, models.Unauthenticated)
}

func testScope(w *accessWorld) {
	boss := w.user("Boss", map[string]models.Value{"scope": "team"})
	east := w.do(models.Create, "team", 0, map[string]models.Value{"name": "East", "manager": boss})
	west := w.do(models.Create, "team", 0, map[string]models.Value{"name": "West"})
	gone := w.do(models.Create, "team", 0, map[string]models.Value{"name": "Gone", "manager": boss})
	w.do(models.Delete, "team", gone, nil)
	w.do(models.Update, "user", boss, map[string]models.Value{"team": west})
	_, r := w.login("boss@example.com", "a password of Boss")
	if slices.Sort(r.Teams); r.Scope != models.ScopeTeam || !slices.Equal(r.Teams, []uint64{east, west}) {
		w.Errorf("a team reader is of the team and of those led: %+v", r)
	}
	campaign := w.do(models.Create, "campaign", 0, map[string]models.Value{"name": "Spring"})
	w.user("Agency", map[string]models.Value{"scope": "campaign", "campaign": campaign, "territory": "North"})
	_, r = w.login("agency@example.com", "a password of Agency")
	if !slices.Equal(r.Campaigns, []uint64{campaign}) || !slices.Equal(r.Territories, []string{"North"}) || len(r.Teams) != 0 {
		w.Errorf("campaign reader: %+v", r)
	}
}

func testWhoKeepsKeys(w *accessWorld) {
	mona := w.user("Mona", map[string]models.Value{"role": "editor", "scope": "all"})
	session, r := w.login("mona@example.com", "a password of Mona")
	_, _, err := w.access.CreateToken(w.Context(), r, crm.NewToken{Name: "another's", User: w.admin.User})
	w.refused("token of another user", err, models.Forbidden)
	w.refused("password of another user", w.access.SetPassword(w.Context(), r, w.admin.User, "a new long password"), models.Forbidden)
	_, theirs, err := w.access.CreateToken(w.Context(), w.admin, crm.NewToken{Name: "administrator's"})
	if err != nil {
		w.Fatal(err)
	}
	w.refused("revoking another user's token", w.access.RevokeToken(w.Context(), r, theirs.Number), models.NotFound)
	if listed, err := w.access.ListTokens(w.Context(), r); err != nil || len(listed) != 0 {
		w.Errorf("her list: %+v, %v", listed, err)
	}
	_, _, err = w.access.CreateToken(w.Context(), models.Reader{User: mona, Role: models.Editor, ReadOnly: true}, crm.NewToken{Name: "more"})
	w.refused("token by a read-only token", err, models.Forbidden)
	_, err = w.access.ListTokens(w.Context(), models.Reader{})
	w.refused("list of nobody", err, models.Unauthenticated)

	w.refused("short password", w.access.SetPassword(w.Context(), r, mona, "short"), models.Invalid)
	if err := w.access.SetPassword(w.Context(), r, mona, "another long password"); err != nil {
		w.Fatal(err)
	}
	_, err = w.access.BySession(w.Context(), session)
	w.refused("session from before the new password", err, models.Unauthenticated)
	w.login("mona@example.com", "another long password")
	w.refused("password of nobody", w.access.SetPassword(w.Context(), w.admin, 9999, "another long password"), models.NotFound)
}

func testFirstAdministrator(w *accessWorld) {
	shown, err := w.access.EnsureAdministrator(w.Context(), w.engine, w.engine.Registry(), "a different password")
	if err != nil || shown != "" {
		w.Errorf("second start: %q, %v", shown, err)
	}
	w.login(crm.AdministratorEmail, adminPassword)

	other := storetest.Open(w.T, sqliteFile(w.T))
	engine := storetest.Engine(w.T, other, w.clock)
	access := crm.NewAccess(other, w.clock.Now)
	_, err = access.EnsureAdministrator(w.Context(), engine, engine.Registry(), "short")
	w.refused("too short a password", err, models.Invalid)
	shown, err = access.EnsureAdministrator(w.Context(), engine, engine.Registry(), "")
	if err != nil || len(shown) != 24 {
		w.Fatalf("generated: %q, %v", shown, err)
	}
	if _, _, _, err := access.Login(w.Context(), crm.AdministratorEmail, shown); err != nil {
		w.Errorf("login with the generated password: %v", err)
	}
}

// Nothing that opens a door is kept as it is.
func TestSecretsAreKeptAsHashes(t *testing.T) {
	t.Parallel()
	c := sqliteFile(t)
	w := newAccessWorld(t, c)
	session, _ := w.login(crm.AdministratorEmail, adminPassword)
	token, _, err := w.access.CreateToken(t.Context(), w.admin, crm.NewToken{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", c.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var all, phc string
	err = raw.QueryRowContext(context.Background(), `select (select group_concat(hash) from sessions) || (select group_concat(hash) from tokens) ||
    (select group_concat(phc) from passwords), (select phc from passwords limit 1)`).Scan(&all, &phc)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{session, token, adminPassword} {
		if strings.Contains(all, secret) {
			t.Errorf("a secret stands in the database")
		}
	}
	if !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("password hash: %s", phc)
	}
}

// What a request costs before it does anything.
func BenchmarkBySession(b *testing.B) {
	registry, err := models.Standard()
	if err != nil {
		b.Fatal(err)
	}
	db, err := store.Open(b.Context(), sqliteFile(b), registry)
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	engine, err := crm.New(db, crm.Options{Currency: "USD"})
	if err != nil {
		b.Fatal(err)
	}
	access := crm.NewAccess(db, nil)
	if _, err := access.EnsureAdministrator(b.Context(), engine, registry, adminPassword); err != nil {
		b.Fatal(err)
	}
	secret, _, _, err := access.Login(b.Context(), crm.AdministratorEmail, adminPassword)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := access.BySession(b.Context(), secret); err != nil {
			b.Fatal(err)
		}
	}
}
