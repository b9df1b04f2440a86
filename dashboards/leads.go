package dashboards

import (
	"context"
	"net/http"
	"strings"

	"canopy/crm"
	"canopy/models"

	"github.com/danielgtaylor/huma/v2"
)

// Conversions takes back what the conversion of a lead wrote.
type Conversions interface {
	// UndoConversion gives the records that stay, with the reason: others have changed them since, or refer to them.
	UndoConversion(ctx context.Context, reader models.Reader, lead uint64) ([]models.JobRefusal, error)
}

// ConvertSide is one record of a conversion: an existing one by id, or a new one of the given fields; what is not given of a new one
// comes from the lead.
type ConvertSide struct {
	ID     string `json:"id,omitempty" example:"account_7"`
	Fields Patch  `json:"fields,omitempty"`
}

// ConvertBody says what becomes of a lead. Left out, account and deal are not there; the contact is always there.
type ConvertBody struct {
	Account *ConvertSide `json:"account,omitempty"`
	Contact *ConvertSide `json:"contact,omitempty"`
	Deal    *ConvertSide `json:"deal,omitempty" doc:"New deals only"`
}

// ConvertedLead are the records after a conversion.
type ConvertedLead struct {
	Lead     *Record `json:"lead"`
	Account  *Record `json:"account,omitempty"`
	Contact  *Record `json:"contact,omitempty"`
	Deal     *Record `json:"deal,omitempty"`
	Repeated bool    `json:"repeated" doc:"The lead had been converted before; nothing was written"`
}

// UndoneConversion says what could not be taken back.
type UndoneConversion struct {
	Lead *Record             `json:"lead"`
	Kept []models.JobRefusal `json:"kept"`
}

type convertInput struct {
	LeadInput
	Body ConvertBody
}

// LeadInput is the path of one lead.
type LeadInput struct {
	ID string `path:"id" maxLength:"80" example:"lead_42"`
}

type reassignInput struct {
	LeadInput
	Body struct {
		Owner string `json:"owner,omitempty" doc:"Who gets it; whoever the rules choose besides the one who has it, where it is left out" example:"user_3"`
	}
}

type rejectInput struct {
	LeadInput
	Body struct {
		Reason string `json:"reason" doc:"One of the lead's rejection reasons" example:"no_budget"`
	}
}

// action describes a POST that does something with a record and answers 200.
func action(path, id, summary string) huma.Operation {
	op := operation(http.MethodPost, path, id, "leads", summary)
	op.DefaultStatus = http.StatusOK
	return op
}

func (s *Server) leadRoutes() {
	handle(s, action("/leads/{id}/accept", "accept-lead", "Take a lead: it is being worked on"), s.acceptLead)
	handle(s, action("/leads/{id}/reject", "reject-lead", "Refuse a lead, with the reason that goes back to its campaign"), s.rejectLead)
	handle(s, action("/leads/{id}/reassign", "reassign-lead", "Give a lead to somebody else"), s.reassignLead)
	handle(s, action("/leads/{id}/convert", "convert-lead", "Turn a lead into a contact, account and deal, all or nothing"), s.convertLead)
	handle(s, action("/leads/{id}/undo-conversion", "undo-conversion", "Take a lead's conversion back"), s.undoConversion)
}

// patchBy changes a record in the name of the reader, without a version: the action says what is meant.
func (s *Server) patchBy(ctx context.Context, reader models.Reader, object, id string, values map[string]models.Value) (*recordOutput, error) {
	o := s.parts.Records.Registry().Object(object)
	n, err := o.ParseID(id)
	if err != nil {
		return nil, err
	}
	command := models.Command{Op: models.Update, Object: object, Number: n, Cause: requestOf(ctx).cause()}
	var wrong []models.Error
	for _, f := range o.Fields {
		v, given := values[f.Name]
		if !given {
			continue
		}
		normal, err := f.Normal(v)
		if v == nil {
			normal, err = nil, nil
		}
		if err != nil {
			wrong = append(wrong, *models.FieldError(f.Name, "%s", strings.TrimPrefix(err.Error(), f.Name+": ")))
		}
		command.Sets = append(command.Sets, models.Set{Field: f, Value: normal})
	}
	if err := models.Gather(wrong); err != nil {
		return nil, err
	}
	return s.do(ctx, reader, command)
}

func (s *Server) acceptLead(ctx context.Context, reader models.Reader, in *LeadInput) (*recordOutput, error) {
	return s.patchBy(ctx, reader, "lead", in.ID, map[string]models.Value{"status": "working"})
}

func (s *Server) rejectLead(ctx context.Context, reader models.Reader, in *rejectInput) (*recordOutput, error) {
	if in.Body.Reason == "" {
		return nil, models.FieldError("reason", "a reason is needed").WithRemedy("Say why sales did not take the lead.")
	}
	return s.patchBy(ctx, reader, "lead", in.ID, map[string]models.Value{"status": "rejected", "rejection_reason": in.Body.Reason})
}

func (s *Server) reassignLead(ctx context.Context, reader models.Reader, in *reassignInput) (*recordOutput, error) {
	n, err := models.ParseID("lead", in.ID)
	if err != nil {
		return nil, err
	}
	var to uint64
	if in.Body.Owner != "" {
		if to, err = models.ParseID("user", in.Body.Owner); err != nil {
			return nil, models.FieldError("owner", "there is no user %q", in.Body.Owner).WithRemedy("Choose one that exists.")
		}
	}
	r, err := s.parts.Records.Reassign(ctx, reader, n, to, requestOf(ctx).cause())
	if err != nil {
		return nil, err
	}
	return s.answer(ctx, reader, r)
}

// side reads one record of a conversion.
func (s *Server) side(object string, in ConvertSide) (crm.Side, error) {
	o := s.parts.Records.Registry().Object(object)
	if in.ID != "" {
		n, err := o.ParseID(in.ID)
		if err != nil || len(in.Fields) > 0 {
			return crm.Side{}, models.FieldError(object, "%q is no %s, or has fields beside it", in.ID, object).WithRemedy("Send the id of an existing one, or the fields of a new one.")
		}
		return crm.Side{Number: n}, nil
	}
	sets, err := s.parts.Records.Patch(o, in.Fields)
	return crm.Side{Sets: sets}, err
}

func (s *Server) convertLead(ctx context.Context, reader models.Reader, in *convertInput) (*body[ConvertedLead], error) {
	n, err := models.ParseID("lead", in.ID)
	if err != nil {
		return nil, err
	}
	var c crm.Conversion
	if in.Body.Contact != nil {
		if c.Contact, err = s.side("contact", *in.Body.Contact); err != nil {
			return nil, err
		}
	}
	for object, each := range map[string]struct {
		in   *ConvertSide
		into **crm.Side
	}{"account": {in.Body.Account, &c.Account}, "deal": {in.Body.Deal, &c.Deal}} {
		if each.in == nil {
			continue
		}
		side, err := s.side(object, *each.in)
		if err != nil {
			return nil, err
		}
		if object == "deal" && side.Number != 0 {
			return nil, models.FieldError("deal", "a conversion opens a new deal").WithRemedy("Send the new deal's fields, or leave it out.")
		}
		*each.into = &side
	}
	done, err := s.parts.Records.Convert(ctx, reader, n, c)
	if err != nil {
		return nil, err
	}
	out := ConvertedLead{Repeated: done.Repeated}
	for _, each := range []struct {
		r    *models.Record
		into **Record
	}{{done.Lead, &out.Lead}, {done.Account, &out.Account}, {done.Contact, &out.Contact}, {done.Deal, &out.Deal}} {
		if each.r == nil {
			continue
		}
		if *each.into, err = s.record(ctx, reader, each.r); err != nil {
			return nil, err
		}
	}
	return &body[ConvertedLead]{out}, nil
}

func (s *Server) undoConversion(ctx context.Context, reader models.Reader, in *LeadInput) (*body[UndoneConversion], error) {
	if err := needRole(reader, models.Editor, "taking a conversion back"); err != nil {
		return nil, err
	}
	n, err := models.ParseID("lead", in.ID)
	if err != nil {
		return nil, err
	}
	lead, err := s.parts.Records.Get(ctx, reader, "lead", n, models.Cutoff{})
	if err != nil {
		return nil, err
	}
	if lead.Get("status") != "converted" {
		return nil, models.Errorf(models.Conflict, "this lead has not been converted")
	}
	kept, err := s.parts.Conversions.UndoConversion(ctx, reader, n)
	if err != nil {
		return nil, err
	}
	if lead, err = s.parts.Records.Get(ctx, reader, "lead", n, models.Cutoff{}); err != nil {
		return nil, err
	}
	out := UndoneConversion{Kept: append([]models.JobRefusal{}, kept...)}
	out.Lead, err = s.record(ctx, reader, lead)
	return &body[UndoneConversion]{out}, err
}
