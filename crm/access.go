package crm

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"canopy/models"
)

// Account is what access needs of a user record as it stands now.
type Account struct {
	User      uint64
	Name      string
	Role      models.Role
	Scope     models.ScopeKind
	Team      uint64   // 0 where the user is in none
	Leads     []uint64 // teams that the user manages, ascending
	Territory string
	Campaign  uint64 // 0 where the user is kept to none
	Active    bool
}

// Session is a signed-in browser.
type Session struct {
	Hash      string // SHA-256 of the secret, lower-case hex
	User      uint64
	CreatedAt time.Time
	UsedAt    time.Time // kept to the hour
	ExpiresAt time.Time // exclusive
}

// Token is a key for programs. Its secret is shown once, when it is made.
type Token struct {
	Number    uint64
	User      uint64
	Name      string
	ReadOnly  bool
	CreatedAt time.Time
	ExpiresAt time.Time // exclusive; zero: it does not end by itself
	UsedAt    time.Time // kept to the hour; zero: never used
	RevokedAt time.Time // zero: it is good
}

// PasswordStore keeps password hashes by user. Accounts of deleted users are not found.
type PasswordStore interface {
	// AccountByEmail finds a user by address, with the password's hash; nil for no such user, "" for no password.
	AccountByEmail(ctx context.Context, email string) (*Account, string, error)
	// AccountOf finds a user by number; nil for no such user.
	AccountOf(ctx context.Context, user uint64) (*Account, error)
	// SavePassword writes a user's hash.
	SavePassword(ctx context.Context, user uint64, phc string, at time.Time) error
	// AnyPassword tells whether anybody can sign in at all.
	AnyPassword(ctx context.Context) (bool, error)
}

// SessionStore keeps sessions by the hash of their secret.
type SessionStore interface {
	// SaveSession adds a session and drops those that have ended by its CreatedAt.
	SaveSession(ctx context.Context, s Session) error
	// SessionOf finds a session and its user; nil, nil where either is gone.
	SessionOf(ctx context.Context, hash string) (*Session, *Account, error)
	// TouchSession moves its last use and end.
	TouchSession(ctx context.Context, s Session) error
	// DropSessions ends one session by its hash, or with an empty hash all of a user.
	DropSessions(ctx context.Context, hash string, user uint64) error
}

// TokenStore keeps tokens by the hash of their secret.
type TokenStore interface {
	// SaveToken adds a token and sets its Number.
	SaveToken(ctx context.Context, t *Token, hash string) error
	// TokenOf finds a token and its user; nil, nil where either is gone.
	TokenOf(ctx context.Context, hash string) (*Token, *Account, error)
	// TouchToken notes its last use, RevokedAt too where that is set.
	TouchToken(ctx context.Context, t Token) error
	// Tokens lists a user's tokens in the order they were made, everybody's for user 0.
	Tokens(ctx context.Context, user uint64) ([]Token, error)
}

// AccessStore is all that access keeps.
type AccessStore interface {
	PasswordStore
	SessionStore
	TokenStore
}

// How long sessions last: from the last use, and at most from the login.
const (
	SessionIdle     = 14 * 24 * time.Hour
	SessionAbsolute = 90 * 24 * time.Hour
)

// useResolution is how exactly the last use is kept, so that reading does not write at each request.
const useResolution = time.Hour

// tokenPrefix lets secret scanners know a leaked token.
const tokenPrefix = "canopy_"

// Access answers who is asking. It reads the user record anew each time, in one query with the session or token: rights are
// always today's, on each of several processes, and nothing needs to be told when a user or team changes.
type Access struct {
	store     AccessStore
	passwords *passwords
	now       func() time.Time
}

// NewAccess makes the service; now may be nil for the real clock.
func NewAccess(store AccessStore, now func() time.Time) *Access {
	if now == nil {
		now = time.Now
	}
	return &Access{store: store, passwords: newPasswords(), now: now}
}

// errNotSignedIn is one sentence for every way of not being known, so that none can be told from another.
func errNotSignedIn() *models.Error {
	return models.Errorf(models.Unauthenticated, "you are not signed in").WithRemedy("Sign in, or send a valid API token as a bearer.")
}

// Login checks e-mail and password and opens a session; secret is the cookie's value and is kept nowhere. A wrong pair,
// an unknown address, a user without password and an inactive one are the same error after the same time.
func (a *Access) Login(ctx context.Context, email, password string) (secret string, session Session, reader models.Reader, err error) {
	account, phc, err := a.store.AccountByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
	if err != nil {
		return "", Session{}, models.Reader{}, fmt.Errorf("look up user: %w", err)
	}
	ok, stale, err := a.passwords.matches(ctx, password, phc)
	if err != nil {
		return "", Session{}, models.Reader{}, err
	}
	if !ok || account == nil || !account.Active {
		return "", Session{}, models.Reader{}, models.Errorf(models.Unauthenticated, "e-mail address or password is wrong").
			WithRemedy("Check both, or ask an administrator for a new password.")
	}
	now := a.now().UTC()
	if stale {
		if phc, err = a.passwords.hash(ctx, password); err != nil {
			return "", Session{}, models.Reader{}, err
		}
		if err := a.store.SavePassword(ctx, account.User, phc, now); err != nil {
			return "", Session{}, models.Reader{}, fmt.Errorf("renew password hash: %w", err)
		}
	}
	secret = newSecret()
	session = Session{Hash: hashSecret(secret), User: account.User, CreatedAt: now, UsedAt: now, ExpiresAt: now.Add(SessionIdle)}
	if err := a.store.SaveSession(ctx, session); err != nil {
		return "", Session{}, models.Reader{}, fmt.Errorf("open session: %w", err)
	}
	return secret, session, account.reader(false), nil
}

// Logout ends the session of a secret; one that is gone already is no error.
func (a *Access) Logout(ctx context.Context, secret string) error {
	if secret == "" {
		return nil
	}
	return a.store.DropSessions(ctx, hashSecret(secret), 0)
}

// BySession tells who a session's secret stands for; unauthenticated for an unknown or ended one and for a user who is
// inactive or deleted. Use moves the session's end, up to its absolute one.
func (a *Access) BySession(ctx context.Context, secret string) (models.Reader, error) {
	if secret == "" {
		return models.Reader{}, errNotSignedIn()
	}
	session, account, err := a.store.SessionOf(ctx, hashSecret(secret))
	if err != nil {
		return models.Reader{}, fmt.Errorf("look up session: %w", err)
	}
	now := a.now().UTC()
	if session == nil || !account.Active || !now.Before(session.ExpiresAt) {
		return models.Reader{}, errNotSignedIn()
	}
	if now.Sub(session.UsedAt) >= useResolution {
		session.UsedAt = now
		session.ExpiresAt = now.Add(SessionIdle)
		if last := session.CreatedAt.Add(SessionAbsolute); session.ExpiresAt.After(last) {
			session.ExpiresAt = last
		}
		if err := a.store.TouchSession(ctx, *session); err != nil {
			return models.Reader{}, fmt.Errorf("extend session: %w", err)
		}
	}
	return account.reader(false), nil
}

// ByToken tells who an API token stands for; unauthenticated as for BySession, and for a revoked one.
func (a *Access) ByToken(ctx context.Context, secret string) (models.Reader, error) {
	if !strings.HasPrefix(secret, tokenPrefix) {
		return models.Reader{}, errNotSignedIn()
	}
	token, account, err := a.store.TokenOf(ctx, hashSecret(secret))
	if err != nil {
		return models.Reader{}, fmt.Errorf("look up token: %w", err)
	}
	now := a.now().UTC()
	if token == nil || !account.Active || !token.RevokedAt.IsZero() || (!token.ExpiresAt.IsZero() && !now.Before(token.ExpiresAt)) {
		return models.Reader{}, errNotSignedIn()
	}
	if now.Sub(token.UsedAt) >= useResolution {
		token.UsedAt = now
		if err := a.store.TouchToken(ctx, *token); err != nil {
			return models.Reader{}, fmt.Errorf("note use of token: %w", err)
		}
	}
	return account.reader(token.ReadOnly), nil
}

// reader gives today's rights. An unknown role or scope, or a scope without what it looks at, sees nothing beyond
// what the reader type itself allows.
func (a *Account) reader(readOnly bool) models.Reader {
	r := models.Reader{User: a.User, Name: a.Name, Role: a.Role, Scope: a.Scope, ReadOnly: readOnly}
	r.Teams = append(r.Teams, a.Leads...)
	if a.Team != 0 {
		r.Teams = append(r.Teams, a.Team)
	}
	if a.Territory != "" {
		r.Territories = []string{a.Territory}
	}
	if a.Campaign != 0 {
		r.Campaigns = []uint64{a.Campaign}
	}
	return r
}

// newSecret is 256 random bits in URL-safe text.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:]) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// hashSecret needs no salt and no cost: a secret of 256 random bits cannot be guessed.
func hashSecret(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}
