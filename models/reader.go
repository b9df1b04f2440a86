package models

// Role is what a user may do at most; row scope then says with which rows.
type Role string

// The roles, weakest first.
const (
	Viewer        Role = "viewer"
	Editor        Role = "editor"
	Administrator Role = "administrator"
)

// AtLeast tells whether r may do what least may.
func (r Role) AtLeast(least Role) bool { return rank(r) >= rank(least) }

func rank(r Role) int {
	switch r {
	case Viewer:
		return 1
	case Editor:
		return 2
	case Administrator:
		return 3
	}
	return 0
}

// ScopeKind is the rule by which rows are cut to a reader.
type ScopeKind string

// The scope kinds. Rows without the field that a kind looks at are not seen under it.
const (
	ScopeAll       ScopeKind = "all"
	ScopeOwner     ScopeKind = "owner"     // own rows
	ScopeTeam      ScopeKind = "team"      // rows of the reader's teams, and own rows
	ScopeTerritory ScopeKind = "territory" // rows of the reader's territories, and own rows
	ScopeCampaign  ScopeKind = "campaign"  // rows of the reader's campaigns only: campaign isolation, own rows do not widen it
)

// Reader is who reads or writes: every call of the record engine and of every room carries one.
// The zero Reader may nothing.
type Reader struct {
	User        uint64 // number of the user record; 0 for the system itself
	Name        string
	Role        Role
	Scope       ScopeKind
	Teams       []uint64
	Territories []string
	Campaigns   []uint64
	ReadOnly    bool // a token that may not write
}

// System is the reader of Canopy's own work (relay, jobs, seeding): everything, as actor "system".
func System() Reader { return Reader{Name: "Canopy", Role: Administrator, Scope: ScopeAll} }

// SeesAll tells whether no row is hidden from the reader.
func (r Reader) SeesAll() bool { return r.Scope == ScopeAll && r.Role != "" }

// SeesAllOf tells whether no row of the object is hidden from the reader; where it is false, row scope decides.
func (r Reader) SeesAllOf(o *Object) bool {
	switch o.Visibility {
	case AdminOnly:
		return false
	case Personal:
		return r.SeesPersonal()
	default:
		return r.SeesAll()
	}
}

// SeesPersonal tells whether the reader sees all rows of personal objects: only Canopy itself does.
func (r Reader) SeesPersonal() bool { return r.SeesAll() && r.User == 0 && r.Role == Administrator }

// MayWrite tells whether the reader may write an object that asks for the given least role.
func (r Reader) MayWrite(least Role) bool { return !r.ReadOnly && r.Role.AtLeast(least) }

// ActorKind says what kind of author a change has.
type ActorKind string

// The kinds of author.
const (
	ActorUser   ActorKind = "user"
	ActorSystem ActorKind = "system"
)

// Actor is the author of a change.
type Actor struct {
	Kind ActorKind `json:"kind"`
	User uint64    `json:"user,omitempty"`
}

// Actor gives the reader as the author of a change.
func (r Reader) Actor() Actor {
	if r.User == 0 {
		return Actor{Kind: ActorSystem}
	}
	return Actor{Kind: ActorUser, User: r.User}
}
