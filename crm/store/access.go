package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"canopy/crm"
	"canopy/models"
)

var _ crm.AccessStore = (*DB)(nil)

// accountColumns are selected from the user table as u; accountTargets scans them.
const accountColumns = `u.number, u.name, u.role, u.scope, u.team, u.territory, u.campaign, u.active`

type accountTargets struct {
	user, team, campaign sql.NullInt64
	name, role, scope    sql.NullString
	territory            sql.NullString
	active               sql.NullBool
}

func (t *accountTargets) all(leading ...any) []any {
	return append(leading, &t.user, &t.name, &t.role, &t.scope, &t.team, &t.territory, &t.campaign, &t.active)
}

// account completes what was scanned with the teams that the user leads, where these matter.
func (db *DB) account(ctx context.Context, t *accountTargets) (*crm.Account, error) {
	a := &crm.Account{
		User: uint64(t.user.Int64), Name: t.name.String, Role: models.Role(t.role.String), Scope: models.ScopeKind(t.scope.String), //nolint:gosec // counted from 1
		Team: uint64(t.team.Int64), Territory: t.territory.String, Campaign: uint64(t.campaign.Int64), Active: t.active.Bool, //nolint:gosec // the same
	}
	if a.Scope != models.ScopeTeam {
		return a, nil
	}
	rows, err := db.query(ctx, "select number from team where manager = ? and deleted_at is null order by number", t.user.Int64)
	if err != nil {
		return nil, fmt.Errorf("read teams that a user leads: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var team uint64
		if err := rows.Scan(&team); err != nil {
			return nil, err
		}
		if team != a.Team {
			a.Leads = append(a.Leads, team)
		}
	}
	return a, rows.Err()
}

// AccountByEmail finds a live user by address, with the password's hash.
func (db *DB) AccountByEmail(ctx context.Context, email string) (*crm.Account, string, error) {
	var t accountTargets
	var phc sql.NullString
	err := db.queryRow(ctx, "select p.phc, "+accountColumns+` from "user" as u left join passwords as p on p.user_number = u.number
    where u.email = ? and u.deleted_at is null`, email).Scan(t.all(&phc)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	account, err := db.account(ctx, &t)
	return account, phc.String, err
}

// AccountOf finds a live user by number.
func (db *DB) AccountOf(ctx context.Context, user uint64) (*crm.Account, error) {
	var t accountTargets
	err := db.queryRow(ctx, "select "+accountColumns+` from "user" as u where u.number = ? and u.deleted_at is null`, int64(user)).Scan(t.all()...) //nolint:gosec // numbers are under 2^63
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return db.account(ctx, &t)
}

// SavePassword writes a user's hash.
func (db *DB) SavePassword(ctx context.Context, user uint64, phc string, at time.Time) error {
	return db.write(ctx, `insert into passwords (user_number, phc, changed_at) values (?, ?, ?)
    on conflict (user_number) do update set phc = excluded.phc, changed_at = excluded.changed_at`, int64(user), phc, db.d.instant(at)) //nolint:gosec // numbers are under 2^63
}

// AnyPassword tells whether anybody can sign in at all.
func (db *DB) AnyPassword(ctx context.Context) (bool, error) {
	var any bool
	err := db.queryRow(ctx, "select exists (select 1 from passwords)").Scan(&any)
	return any, err
}

// SaveSession adds a session and drops those that have ended.
func (db *DB) SaveSession(ctx context.Context, s crm.Session) error {
	return db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		if _, err := db.exec(ctx, "delete from sessions where expires_at <= ?", db.d.instant(s.CreatedAt)); err != nil {
			return err
		}
		_, err := db.exec(ctx, "insert into sessions (hash, user_number, created_at, used_at, expires_at) values (?, ?, ?, ?, ?)",
			s.Hash, int64(s.User), db.d.instant(s.CreatedAt), db.d.instant(s.UsedAt), db.d.instant(s.ExpiresAt)) //nolint:gosec // numbers are under 2^63
		return err
	})
}

// SessionOf finds a session and its live user.
func (db *DB) SessionOf(ctx context.Context, hash string) (*crm.Session, *crm.Account, error) {
	s := &crm.Session{Hash: hash}
	var t accountTargets
	var created, used, expires instant
	err := db.queryRow(ctx, "select s.created_at, s.used_at, s.expires_at, "+accountColumns+` from sessions as s join "user" as u on u.number = s.user_number
    where s.hash = ? and u.deleted_at is null`, hash).Scan(t.all(&created, &used, &expires)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	account, err := db.account(ctx, &t)
	if err != nil {
		return nil, nil, err
	}
	s.User, s.CreatedAt, s.UsedAt, s.ExpiresAt = account.User, created.Time, used.Time, expires.Time
	return s, account, nil
}

// TouchSession moves a session's last use and end.
func (db *DB) TouchSession(ctx context.Context, s crm.Session) error {
	return db.write(ctx, "update sessions set used_at = ?, expires_at = ? where hash = ?", db.d.instant(s.UsedAt), db.d.instant(s.ExpiresAt), s.Hash)
}

// DropSessions ends one session by its hash, or with an empty hash all of a user.
func (db *DB) DropSessions(ctx context.Context, hash string, user uint64) error {
	if hash != "" {
		return db.write(ctx, "delete from sessions where hash = ?", hash)
	}
	return db.write(ctx, "delete from sessions where user_number = ?", int64(user)) //nolint:gosec // numbers are under 2^63
}

// write runs one statement in the running transaction or in one of its own.
func (db *DB) write(ctx context.Context, statement string, args ...any) error {
	return db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		_, err := db.exec(ctx, statement, args...)
		return err
	})
}

const tokenColumns = "t.number, t.user_number, t.name, t.read_only, t.created_at, t.expires_at, t.used_at, t.revoked_at"

type tokenTargets struct {
	token                           crm.Token
	created, expires, used, revoked instant
}

func (t *tokenTargets) all() []any {
	return []any{&t.token.Number, &t.token.User, &t.token.Name, &t.token.ReadOnly, &t.created, &t.expires, &t.used, &t.revoked}
}

func (t *tokenTargets) get() crm.Token {
	t.token.CreatedAt, t.token.ExpiresAt, t.token.UsedAt, t.token.RevokedAt = t.created.Time, t.expires.Time, t.used.Time, t.revoked.Time
	return t.token
}

// SaveToken adds a token and sets its Number.
func (db *DB) SaveToken(ctx context.Context, t *crm.Token, hash string) error {
	return db.Run(ctx, crm.Interactive, func(ctx context.Context) error {
		return db.queryRow(ctx, "insert into tokens (hash, user_number, name, read_only, created_at, expires_at) values (?, ?, ?, ?, ?, ?) returning number",
			hash, int64(t.User), t.Name, t.ReadOnly, db.d.instant(t.CreatedAt), db.instantOrNull(t.ExpiresAt)).Scan(&t.Number) //nolint:gosec // numbers are under 2^63
	})
}

func (db *DB) instantOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return db.d.instant(t)
}

// TokenOf finds a token and its live user.
func (db *DB) TokenOf(ctx context.Context, hash string) (*crm.Token, *crm.Account, error) {
	var t tokenTargets
	var a accountTargets
	err := db.queryRow(ctx, "select "+tokenColumns+", "+accountColumns+` from tokens as t join "user" as u on u.number = t.user_number
    where t.hash = ? and u.deleted_at is null`, hash).Scan(a.all(t.all()...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	account, err := db.account(ctx, &a)
	if err != nil {
		return nil, nil, err
	}
	token := t.get()
	return &token, account, nil
}

// TouchToken notes a token's last use, and its revocation where that is set. A revoked token stays revoked.
func (db *DB) TouchToken(ctx context.Context, t crm.Token) error {
	return db.write(ctx, "update tokens set used_at = ?, revoked_at = coalesce(revoked_at, ?) where number = ?",
		db.instantOrNull(t.UsedAt), db.instantOrNull(t.RevokedAt), int64(t.Number)) //nolint:gosec // numbers are under 2^63
}

// Tokens lists a user's tokens in the order they were made, everybody's for user 0.
func (db *DB) Tokens(ctx context.Context, user uint64) ([]crm.Token, error) {
	query, args := "select "+tokenColumns+" from tokens as t order by t.number", []any{}
	if user != 0 {
		query, args = "select "+tokenColumns+" from tokens as t where t.user_number = ? order by t.number", []any{int64(user)} //nolint:gosec // numbers are under 2^63
	}
	rows, err := db.query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	defer rows.Close()
	var tokens []crm.Token
	for rows.Next() {
		var t tokenTargets
		if err := rows.Scan(t.all()...); err != nil {
			return nil, err
		}
		tokens = append(tokens, t.get())
	}
	return tokens, rows.Err()
}
