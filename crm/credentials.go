package crm

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"canopy/models"
)

// NewToken says what an API token is to be.
type NewToken struct {
	User      uint64 // whose rights it has; 0: the asking reader's own
	Name      string // what it is for, at most 100 characters
	ReadOnly  bool
	ExpiresAt time.Time // zero: it does not end by itself
}

// CreateToken makes an API token and gives its secret, which cannot be shown again. People make their own, administrators
// anybody's; a read-only token makes none.
func (a *Access) CreateToken(ctx context.Context, reader models.Reader, n NewToken) (string, Token, error) {
	if n.User == 0 {
		n.User = reader.User
	}
	if err := mayKeepKeysOf(reader, n.User); err != nil {
		return "", Token{}, err
	}
	now := a.now().UTC()
	n.Name = strings.TrimSpace(n.Name)
	switch {
	case n.Name == "" || utf8.RuneCountInString(n.Name) > 100:
		return "", Token{}, models.FieldError("name", "say in at most 100 characters what the token is for")
	case !n.ExpiresAt.IsZero() && !n.ExpiresAt.After(now):
		return "", Token{}, models.FieldError("expires_at", "the token would have ended already")
	}
	account, err := a.store.AccountOf(ctx, n.User)
	if err != nil {
		return "", Token{}, fmt.Errorf("look up user: %w", err)
	}
	if account == nil || !account.Active {
		return "", Token{}, models.FieldError("user", "there is no active user %d", n.User)
	}
	secret := tokenPrefix + newSecret()
	token := Token{User: n.User, Name: n.Name, ReadOnly: n.ReadOnly, CreatedAt: now, ExpiresAt: n.ExpiresAt.UTC()}
	if n.ExpiresAt.IsZero() {
		token.ExpiresAt = time.Time{}
	}
	if err := a.store.SaveToken(ctx, &token, hashSecret(secret)); err != nil {
		return "", Token{}, fmt.Errorf("save token: %w", err)
	}
	return secret, token, nil
}

// ListTokens lists the reader's own tokens, for an administrator everybody's, oldest first, revoked ones too.
func (a *Access) ListTokens(ctx context.Context, reader models.Reader) ([]Token, error) {
	user := reader.User
	switch {
	case reader.Role.AtLeast(models.Administrator):
		user = 0
	case user == 0:
		return nil, errNotSignedIn()
	}
	return a.store.Tokens(ctx, user)
}

// RevokeToken ends a token at once. Somebody else's token is not found, except for administrators; a revoked one stays as it was.
func (a *Access) RevokeToken(ctx context.Context, reader models.Reader, number uint64) error {
	if reader.ReadOnly {
		return models.Errorf(models.Forbidden, "a read-only token may not revoke tokens")
	}
	tokens, err := a.ListTokens(ctx, reader)
	if err != nil {
		return err
	}
	for _, token := range tokens {
		if token.Number != number {
			continue
		}
		if !token.RevokedAt.IsZero() {
			return nil
		}
		token.RevokedAt = a.now().UTC()
		return a.store.TouchToken(ctx, token)
	}
	return models.Errorf(models.NotFound, "there is no token %d", number)
}

// SetPassword gives a user a new password and ends all of the user's sessions. People set their own, administrators anybody's.
func (a *Access) SetPassword(ctx context.Context, reader models.Reader, user uint64, password string) error {
	if err := mayKeepKeysOf(reader, user); err != nil {
		return err
	}
	if err := validatePassword(password); err != nil {
		return err
	}
	account, err := a.store.AccountOf(ctx, user)
	if err != nil {
		return fmt.Errorf("look up user: %w", err)
	}
	if account == nil {
		return models.Errorf(models.NotFound, "there is no user %d", user)
	}
	phc, err := a.passwords.hash(ctx, password)
	if err != nil {
		return err
	}
	if err := a.store.SavePassword(ctx, user, phc, a.now().UTC()); err != nil {
		return fmt.Errorf("save password: %w", err)
	}
	return a.store.DropSessions(ctx, "", user)
}

func mayKeepKeysOf(reader models.Reader, user uint64) error {
	own := user != 0 && user == reader.User
	if !reader.ReadOnly && (own || reader.Role.AtLeast(models.Administrator)) {
		return nil
	}
	return models.Errorf(models.Forbidden, "you may not make keys of this user").WithRemedy("Ask an administrator.")
}

// AdministratorEmail is the address of the first administrator.
const AdministratorEmail = "admin@canopy.local"

// Doer executes one command; the record engine does.
type Doer interface {
	Do(ctx context.Context, reader models.Reader, command models.Command) (models.Outcome, error)
}

// EnsureAdministrator makes the first administrator where nobody can sign in yet, and does nothing otherwise. An empty password
// asks for a generated one, which is returned so that it can be shown once; shown is empty in all other cases.
// Interrupted, it is finished by the next call.
func (a *Access) EnsureAdministrator(ctx context.Context, records Doer, registry *models.Registry, password string) (shown string, err error) {
	any, err := a.store.AnyPassword(ctx)
	if err != nil || any {
		return "", err
	}
	if password == "" {
		password = newSecret()[:24]
		shown = password
	}
	if err := validatePassword(password); err != nil {
		return "", err
	}
	account, _, err := a.store.AccountByEmail(ctx, AdministratorEmail)
	if err != nil {
		return "", fmt.Errorf("look up administrator: %w", err)
	}
	var user uint64
	if account != nil {
		user = account.User
	} else if user, err = createAdministrator(ctx, records, registry); err != nil {
		return "", fmt.Errorf("make administrator: %w", err)
	}
	return shown, a.SetPassword(ctx, models.System(), user, password)
}

func createAdministrator(ctx context.Context, records Doer, registry *models.Registry) (uint64, error) {
	object, err := registry.Need("user")
	if err != nil {
		return 0, err
	}
	command := models.Command{Op: models.Create, Object: object.Name, Cause: "start"}
	for _, set := range []struct {
		field string
		value models.Value
	}{
		{"name", "Administrator"}, {"email", AdministratorEmail}, {"role", string(models.Administrator)}, {"scope", string(models.ScopeAll)}, {"active", true},
	} {
		field := object.Field(set.field)
		if field == nil {
			return 0, fmt.Errorf("the user object has no field %s", set.field)
		}
		command.Sets = append(command.Sets, models.Set{Field: field, Value: set.value})
	}
	outcome, err := records.Do(ctx, models.System(), command)
	if err != nil {
		return 0, err
	}
	return outcome.Record.Number, nil
}
