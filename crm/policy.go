package crm

import (
	"encoding/json"
	"fmt"
	"time"

	"canopy/models"
)

// Policy is what a pipeline does about deals in which nothing happens. Days count from the last sign of life.
type Policy struct {
	NudgeAfterDays    int    `json:"nudge_after_days"`    // the owner gets a task; a stage's age limit takes its place there
	ReengageAfterDays int    `json:"reengage_after_days"` // the deal goes on the re-engage list
	CloseAfterDays    int    `json:"close_after_days"`    // the deal is closed
	Then              string `json:"then"`                // lost, or nurture: lost with a task to take it up again
	Reason            string `json:"reason"`              // lost reason; no_decision where blank
	NurtureDays       int    `json:"nurture_days"`        // after which a nurtured deal is taken up again; 90 where 0
}

// ParsePolicy reads a stagnation policy; blank text is nil. The steps come one after another, and there is at least a day between them.
func ParsePolicy(deal *models.Object, text string) (*Policy, error) {
	if text == "" {
		return nil, nil
	}
	p := &Policy{Reason: "no_decision", NurtureDays: 90}
	if err := json.Unmarshal([]byte(text), p); err != nil {
		return nil, models.FieldError("stagnation_policy", "not a policy: %v", err).
			WithRemedy(`Write it as {"nudge_after_days":14,"reengage_after_days":28,"close_after_days":60,"then":"lost","reason":"no_decision"}.`)
	}
	wrong := func(format string, args ...any) (*Policy, error) {
		return nil, models.FieldError("stagnation_policy", format, args...).WithRemedy("Say 1 ≤ nudge_after_days < reengage_after_days < close_after_days ≤ 3650.")
	}
	switch {
	case p.NudgeAfterDays < 1:
		return wrong("nudge_after_days is %d", p.NudgeAfterDays)
	case p.ReengageAfterDays <= p.NudgeAfterDays:
		return wrong("reengage_after_days (%d) does not come after nudge_after_days (%d)", p.ReengageAfterDays, p.NudgeAfterDays)
	case p.CloseAfterDays <= p.ReengageAfterDays || p.CloseAfterDays > 3650:
		return wrong("close_after_days (%d) does not come after reengage_after_days (%d)", p.CloseAfterDays, p.ReengageAfterDays)
	case p.Then != "lost" && p.Then != "nurture":
		return nil, models.FieldError("stagnation_policy", "then is %q", p.Then).WithRemedy("Say lost or nurture.")
	case !deal.Field("lost_reason").HasOption(p.Reason):
		return nil, models.FieldError("stagnation_policy", "reason %q is no lost reason", p.Reason).WithRemedy("Use one of the deal's lost reasons.")
	case p.NurtureDays < 1 || p.NurtureDays > 3650:
		return nil, models.FieldError("stagnation_policy", "nurture_days is %d", p.NurtureDays).WithRemedy("Say 1 to 3650 days.")
	}
	return p, nil
}

// The steps that a policy can take with a deal.
const (
	StepNudge    = "nudge"
	StepReengage = "reengage"
	StepLost     = "lost"
	StepNurture  = "nurture"
	StepFreshen  = "freshen"
)

// vital is what is known of a deal's life on one day.
type vital struct {
	state   string      // fresh, nudged, reengage, closed
	since   models.Date // of the last step of the policy
	sinceAt time.Time   // the same to the instant; zero for none
	touched time.Time   // last sign of life
	by      string      // what it was: "it came into the stage"
	planned string      // what lies ahead: "its next step is planned for 2026-03-22"; blank for nothing
	today   models.Date
	zone    *time.Location
}

// idle is how many calendar days ago the last sign of life was.
func (v *vital) idle() int { return int(v.today - models.DateOf(v.touched, v.zone)) }

// decide says which step is due and why; blank for none. limit is the stage's age limit, or nudge_after_days where the stage has none. Each
// step waits for the days that lie between it and the one before, so that a deal which is found late is not closed on the day of its nudge.
func (p *Policy) decide(limit int, v *vital) (step, why string) {
	idle, shift := v.idle(), limit-p.NudgeAfterDays
	waited := int(v.today - v.since)
	if v.planned != "" || v.state != "fresh" && v.touched.After(v.sinceAt) || v.state == "closed" {
		if v.state == "fresh" {
			return "", ""
		}
		why = v.planned
		if why == "" {
			why = v.by + " on " + models.DateOf(v.touched, v.zone).String()
		}
		return StepFreshen, why
	}
	why = fmt.Sprintf("nothing has happened for %d days: %s on %s, and nothing is planned", idle, v.by, models.DateOf(v.touched, v.zone))
	switch v.state {
	case "fresh":
		if idle >= limit {
			return StepNudge, fmt.Sprintf("%s; the limit is %d days", why, limit)
		}
	case "nudged":
		if idle >= p.ReengageAfterDays+shift && waited >= p.ReengageAfterDays-p.NudgeAfterDays {
			return StepReengage, fmt.Sprintf("%s; its owner was nudged %d days ago", why, waited)
		}
	case "reengage":
		if idle >= p.CloseAfterDays+shift && waited >= p.CloseAfterDays-p.ReengageAfterDays {
			return p.Then, fmt.Sprintf("%s; it has been on the re-engage list for %d days", why, waited)
		}
	}
	return "", ""
}
