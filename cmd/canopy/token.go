package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"canopy/crm"
	"canopy/models"
)

// tokenCommand makes, lists and revokes API tokens.
type tokenCommand struct {
	Create tokenCreate `cmd:"" help:"Make an API token; its secret is shown once."`
	List   tokenList   `cmd:"" help:"List all tokens."`
	Revoke tokenRevoke `cmd:"" help:"Revoke a token."`
}

type tokenCreate struct {
	Config   `embed:""`
	Name     string        `arg:"" help:"What the token is for."`
	User     string        `default:"admin@canopy.local" help:"E-mail address of the user whose rights it has."`
	ReadOnly bool          `help:"It may not write."`
	Expires  time.Duration `help:"How long it is good; for ever where it is left out."`
}

// Run prints the secret alone on a line, so that a script can take it.
func (c *tokenCreate) Run(ctx context.Context, s *streams) error {
	return withAccess(ctx, &c.Config, s, func(ctx context.Context, p *parts) error {
		user, err := p.userByEmail(ctx, c.User)
		if err != nil {
			return err
		}
		var expires time.Time
		if c.Expires > 0 {
			expires = time.Now().Add(c.Expires)
		}
		secret, _, err := p.access.CreateToken(ctx, models.System(), crm.NewToken{User: user, Name: c.Name, ReadOnly: c.ReadOnly, ExpiresAt: expires})
		if err != nil {
			return err
		}
		fmt.Fprintln(s.out, secret)
		return nil
	})
}

type tokenList struct {
	Config `embed:""`
}

// Run prints one line a token.
func (c *tokenList) Run(ctx context.Context, s *streams) error {
	return withAccess(ctx, &c.Config, s, func(ctx context.Context, p *parts) error {
		tokens, err := p.access.ListTokens(ctx, models.System())
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "NUMBER\tUSER\tNAME\tRIGHTS\tMADE\tLAST USED\tSTATE")
		for _, t := range tokens {
			rights, state := "read and write", "good"
			if t.ReadOnly {
				rights = "read"
			}
			if !t.RevokedAt.IsZero() {
				state = "revoked"
			} else if !t.ExpiresAt.IsZero() && !t.ExpiresAt.After(time.Now()) {
				state = "expired"
			}
			used := "never"
			if !t.UsedAt.IsZero() {
				used = t.UsedAt.Format(time.DateOnly)
			}
			fmt.Fprintf(table, "%d\tuser_%d\t%s\t%s\t%s\t%s\t%s\n", t.Number, t.User, t.Name, rights, t.CreatedAt.Format(time.DateOnly), used, state)
		}
		return table.Flush()
	})
}

type tokenRevoke struct {
	Config `embed:""`
	Number uint64 `arg:"" help:"Its number, as the list gives it."`
}

// Run revokes at once.
func (c *tokenRevoke) Run(ctx context.Context, s *streams) error {
	return withAccess(ctx, &c.Config, s, func(ctx context.Context, p *parts) error {
		return p.access.RevokeToken(ctx, models.System(), c.Number)
	})
}

// userByEmail finds the number of the user with an e-mail address.
func (p *parts) userByEmail(ctx context.Context, email string) (uint64, error) {
	found, err := p.records.FindByText(ctx, models.System(), "user", "email", []string{email})
	if err != nil {
		return 0, err
	}
	if len(found[email]) == 0 {
		return 0, models.FieldError("user", "nobody has the e-mail address %s", email)
	}
	return found[email][0], nil
}
