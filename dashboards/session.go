package dashboards

import (
	"context"
	"net/http"
	"strings"
	"time"

	"canopy/crm"
	"canopy/models"

	"github.com/danielgtaylor/huma/v2"
)

const sessionPath = apiPrefix + "/session"

// Me is who is signed in, and the workspace's clock and money.
type Me struct {
	User      Person      `json:"user"`
	Role      models.Role `json:"role" enum:"viewer,editor,administrator"`
	Scope     MeScope     `json:"scope"`
	Workspace Workspace   `json:"workspace"`
}

// Person is a user as others see one.
type Person struct {
	ID    string `json:"id" example:"user_1"`
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
}

// MeScope says which rows the reader sees.
type MeScope struct {
	Kind models.ScopeKind `json:"kind" enum:"all,owner,team,territory,campaign"`
}

// Workspace says how days, weeks and money are cut and written.
type Workspace struct {
	Name      string `json:"name"`
	Zone      string `json:"zone" doc:"IANA time zone in which days and weeks are cut" example:"Europe/Berlin"`
	WeekStart string `json:"week_start" example:"monday"`
	Currency  string `json:"currency" doc:"Reporting currency, ISO 4217" example:"USD"`
	Locale    string `json:"locale" example:"en-US"`
}

type loginInput struct {
	Body struct {
		Email    string `json:"email" maxLength:"320"`
		Password string `json:"password" maxLength:"1000"`
	}
}

type loginOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
	Body      Me
}

type logoutOutput struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (s *Server) sessionRoutes() {
	login := operation(http.MethodPost, "/session", "login", "session", "Sign in with e-mail address and password")
	login.Security = []map[string][]string{}
	login.Description = "Opens a session and sets its cookie. Attempts are limited by address and by e-mail address."
	login.DefaultStatus = http.StatusOK
	handle(s, login, s.login)
	logout := operation(http.MethodDelete, "/session", "logout", "session", "Sign out")
	logout.DefaultStatus = http.StatusNoContent
	handle(s, logout, s.logout)
	handle(s, operation(http.MethodGet, "/me", "me", "session", "Who is signed in, and the workspace"), s.showMe)
}

// loginLimits slow down guessing: from one address, and at one account from anywhere.
type loginLimits struct{ address, email *limiter }

func newLoginLimits(now func() time.Time) *loginLimits {
	return &loginLimits{address: newLimiter(20, 10*time.Second, now), email: newLimiter(8, 30*time.Second, now)}
}

func (l *loginLimits) take(address, email string) error {
	wait, ok := l.address.take(address)
	if ok {
		if wait, ok = l.email.take(email); !ok {
			l.address.giveBack(address)
		}
	}
	if ok {
		return nil
	}
	p := newProblem(models.Errorf(models.Exhausted, "too many attempts to sign in").WithRemedy("Wait a moment and try again."))
	p.retryAfter = max(wait, time.Second)
	return p
}

func (s *Server) login(ctx context.Context, _ models.Reader, in *loginInput) (*loginOutput, error) {
	address, email := requestOf(ctx).address, strings.ToLower(strings.TrimSpace(in.Body.Email))
	if err := s.logins.take(address, email); err != nil {
		return nil, err
	}
	secret, _, reader, err := s.parts.Access.Login(ctx, email, in.Body.Password)
	if err != nil {
		return nil, err
	}
	s.logins.address.giveBack(address)
	s.logins.email.giveBack(email)
	requestOf(ctx).reader = reader
	me, err := s.me(ctx, reader)
	if err != nil {
		return nil, err
	}
	return &loginOutput{SetCookie: s.cookie(secret, int(crm.SessionAbsolute/time.Second)), Body: me}, nil
}

func (s *Server) logout(ctx context.Context, _ models.Reader, _ *none) (*logoutOutput, error) {
	r := requestOf(ctx)
	if !r.byCookie {
		return nil, models.Errorf(models.Invalid, "an API token has no session to end").WithRemedy("Revoke the token instead.")
	}
	return &logoutOutput{SetCookie: s.cookie("", -1)}, s.parts.Access.Logout(ctx, r.credential)
}

// cookie carries a session's secret; scripts cannot read it. The server ends sessions, so the cookie may outlive one.
func (s *Server) cookie(secret string, seconds int) http.Cookie {
	return http.Cookie{
		Name: sessionCookie, Value: secret, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: s.secureOrigin(), SameSite: http.SameSiteLaxMode,
	}
}

func (s *Server) showMe(ctx context.Context, reader models.Reader, _ *none) (*body[Me], error) {
	me, err := s.me(ctx, reader)
	return &body[Me]{me}, err
}

func (s *Server) me(ctx context.Context, reader models.Reader) (Me, error) {
	user, err := s.parts.Records.Get(ctx, reader, "user", reader.User, models.Cutoff{})
	if err != nil {
		return Me{}, err
	}
	email, _ := user.Get("email").(string)
	calendar := s.parts.Records.Calendar()
	return Me{
		User: Person{ID: user.ID(), Name: reader.Name, Email: email}, Role: reader.Role, Scope: MeScope{Kind: reader.Scope},
		Workspace: Workspace{
			Name: s.config.Workspace, Zone: calendar.Zone.String(), WeekStart: strings.ToLower(calendar.WeekStart.String()),
			Currency: s.parts.Records.Currency(), Locale: s.config.Locale,
		},
	}, nil
}

var _ huma.StatusError = (*Problem)(nil)
