package crm

import (
	"context"
	"errors"
	"fmt"

	"canopy/models"
	"canopy/models/predicate"
)

// Side is one record that a conversion joins or makes: an existing one by number, or a new one of the given fields. What is not given
// of a new one comes from the lead.
type Side struct {
	Number uint64
	Sets   []models.Set
}

// Conversion says what becomes of a lead. A nil side is left out; the contact is always there.
type Conversion struct {
	Account *Side
	Contact Side
	Deal    *Side
}

// Converted are the records after a conversion. Account and Deal are nil where there are none. Repeated: the lead had been converted
// before, and nothing was written.
type Converted struct {
	Lead, Account, Contact, Deal *models.Record
	Repeated                     bool
}

// ConversionCause names the conversion of a lead in the log. All that it wrote has this cause, so that one undo takes all of it back.
func ConversionCause(lead uint64) string { return fmt.Sprintf("convert:%d", lead) }

// Convert turns a lead into a contact, its account and, if asked for, a deal, in one transaction: all of it or nothing. Activities,
// tasks, touches, submissions and handoffs of the lead follow. A lead that has been converted gives its records again. Errors of the new
// records name their fields with the record before them: contact.email.
func (e *Engine) Convert(ctx context.Context, reader models.Reader, lead uint64, c Conversion) (Converted, error) {
	var out Converted
	err := e.store.Run(ctx, Interactive, func(ctx context.Context) error {
		b := e.newBatch(ctx, reader)
		var err error
		if out, err = b.convert(lead, c); err != nil || out.Repeated {
			return err
		}
		return b.rollUpAll()
	})
	return out, err
}

func (b *batch) convert(n uint64, c Conversion) (Converted, error) {
	object := b.registry.Object(leadObject)
	if err := b.mayWrite(object); err != nil {
		return Converted{}, err
	}
	lead, err := b.existing(object, &models.Command{Op: models.Update, Object: leadObject, Number: n})
	if err != nil {
		return Converted{}, err
	}
	if lead.Get("status") == "converted" {
		return b.convertedBefore(lead)
	}
	out := Converted{Lead: lead}
	cause := ConversionCause(n)
	values := b.ofLead(lead, "country", "owner", "team", "territory")
	if c.Account != nil {
		values["name"] = lead.Get("company")
		if out.Account, err = b.side("account", cause, *c.Account, values, nil); err != nil {
			return out, err
		}
	}
	values = b.ofLead(lead, "name", "email", "phone", "job_title", "country", "source", "owner", "team", "territory")
	var join map[string]models.Value
	if out.Account != nil {
		join = map[string]models.Value{"account": out.Account.Number}
		values["account"] = out.Account.Number
	}
	if out.Contact, err = b.side("contact", cause, c.Contact, values, join); err != nil {
		return out, err
	}
	if c.Deal != nil {
		values = b.ofLead(lead, "campaign", "owner", "team", "territory")
		values["contact"], values["name"] = out.Contact.Number, lead.Get("title")
		if out.Account != nil {
			values["account"], values["name"] = out.Account.Number, out.Account.Get("name")
		}
		if out.Deal, err = b.side(dealObject, cause, *c.Deal, values, nil); err != nil {
			return out, err
		}
	}
	became := map[string]models.Value{"status": "converted", "converted_at": later(b.now, lead.HappenedAt), "converted_contact": out.Contact.Number}
	if out.Account != nil {
		became["converted_account"] = out.Account.Number
	}
	if out.Deal != nil {
		became["converted_deal"] = out.Deal.Number
	}
	if _, err := b.execute(&models.Command{Op: models.Update, Object: leadObject, Number: n, Cause: cause, Sets: setsOf(object, became)}); err != nil {
		return out, err
	}
	return out, b.carryOver(n, cause, out)
}

func (b *batch) ofLead(lead *models.Record, fields ...string) map[string]models.Value {
	values := map[string]models.Value{}
	for _, name := range fields {
		if v := lead.Get(name); v != nil {
			values[name] = v
		}
	}
	return values
}

// side finds or makes one record. join are values that an existing one takes where it has none.
func (b *batch) side(object, cause string, s Side, values, join map[string]models.Value) (*models.Record, error) {
	o := b.registry.Object(object)
	if s.Number != 0 {
		r, err := b.existing(o, &models.Command{Op: models.Update, Object: object, Number: s.Number})
		if err != nil {
			return nil, err
		}
		for name := range join {
			if r.Get(name) != nil {
				delete(join, name)
			}
		}
		if len(join) == 0 {
			return r, nil
		}
		outcome, err := b.execute(&models.Command{Op: models.Update, Object: object, Number: s.Number, Cause: cause, Sets: setsOf(o, join)})
		return outcome.Record, within(object, err)
	}
	for _, set := range s.Sets {
		values[set.Field.Name] = set.Value
	}
	for name := range values {
		if o.Field(name) == nil {
			delete(values, name)
		}
	}
	outcome, err := b.execute(&models.Command{Op: models.Create, Object: object, Cause: cause, Sets: setsOf(o, values)})
	return outcome.Record, within(object, err)
}

// within puts the record's name before the fields of an error.
func within(object string, err error) error {
	var said *models.Error
	if !errors.As(err, &said) {
		return err
	}
	told := *said
	if told.Field != "" {
		told.Field = object + "." + told.Field
	}
	told.Details = make([]models.Error, len(said.Details))
	for i, d := range said.Details {
		if d.Field != "" {
			d.Field = object + "." + d.Field
		}
		told.Details[i] = d
	}
	return &told
}

// carried are the nouns that follow a lead to its contact.
var carried = []string{"activity", "task", touchObject, "form_submission", handoffObject}

// carryChunk is how many records of one noun are read at once.
const carryChunk = 200

// carryOver gives what belongs to the lead the contact, account and deal that it became, where these are empty.
func (b *batch) carryOver(lead uint64, cause string, out Converted) error {
	for _, object := range carried {
		o := b.registry.Object(object)
		values := map[string]models.Value{}
		for name, r := range map[string]*models.Record{"contact": out.Contact, "account": out.Account, dealObject: out.Deal} {
			if r != nil && o.Field(name) != nil {
				values[name] = r.Number
			}
		}
		if object == handoffObject {
			delete(values, dealObject) // a handoff of the deal itself is another one
		}
		where := predicate.Compare(o.Field(leadObject), predicate.Eq, lead)
		bound, err := where.Bind(b.registry, o, b.options.Calendar)
		if err != nil {
			return err
		}
		order, err := predicate.ParseSort(o, "")
		if err != nil {
			return err
		}
		for cursor := ""; ; {
			page, err := b.store.List(b.ctx, Listing{Object: object, Where: bound, Sort: order, Limit: carryChunk, Cursor: cursor})
			if err != nil {
				return err
			}
			for _, r := range page {
				cursor = order.CursorOf(r)
				give := map[string]models.Value{}
				for name, v := range values {
					if r.Get(name) == nil {
						give[name] = v
					}
				}
				if len(give) == 0 {
					continue
				}
				if _, err := b.must(models.Command{Op: models.Update, Object: object, Number: r.Number, Cause: cause, Sets: setsOf(o, give)}); err != nil {
					return err
				}
			}
			if len(page) < carryChunk {
				break
			}
		}
	}
	return nil
}

// convertedBefore reads again what a conversion gave. Records that the reader may not see, or that are gone, are left out.
func (b *batch) convertedBefore(lead *models.Record) (Converted, error) {
	out := Converted{Lead: lead, Repeated: true}
	for name, into := range map[string]**models.Record{"account": &out.Account, "contact": &out.Contact, dealObject: &out.Deal} {
		n := number(lead, "converted_"+name)
		if n == 0 {
			continue
		}
		r, err := b.record(name, n)
		if err != nil || r == nil || r.Deleted {
			return out, err
		}
		seen, err := b.visible(r)
		if err != nil {
			return out, err
		}
		if seen {
			*into = r
		}
	}
	return out, nil
}
