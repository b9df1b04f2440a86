package store_test

import (
	"context"
	"fmt"
	"testing"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

// A database whose terms are missing, or were made in another way, gets them when it is opened, also after being cut off in between.
func TestSearchTermsAreMadeWhenTheStoreIsOpened(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		ctx := context.Background()
		db := storetest.Open(t, c)
		engine := storetest.Engine(t, db, nil)
		contact := db.Registry().Object("contact")
		for n := range 12 {
			_, err := engine.Do(ctx, models.System(), models.Command{Op: models.Create, Object: "contact", Sets: []models.Set{
				{Field: contact.Field("name"), Value: fmt.Sprintf("Person %c", 'A'+n)}, {Field: contact.Field("email"), Value: fmt.Sprintf("p%d@example.org", n)}}})
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := engine.Do(ctx, models.System(), models.Command{Op: models.Delete, Object: "contact", Number: 3}); err != nil {
			t.Fatal(err)
		}
		found := func(engine *crm.Engine) int {
			groups, err := engine.Search(ctx, models.System(), crm.SearchQuery{Text: "person", Limit: crm.MaxHits})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for _, g := range groups {
				n += len(g.Hits)
			}
			return n
		}
		if n := found(engine); n != 11 {
			t.Fatalf("%d found at first", n)
		}
		for what, change := range map[string]string{
			"made in another way": "update search_tables set form = 'another' where object = 'contact'",
			"cut off":             "update search_tables set filled_through = 5, is_filled = false where object = 'contact'",
			"unknown":             "delete from search_tables where object = 'contact'",
		} {
			if err := db.Execute(ctx, change); err != nil {
				t.Fatal(err)
			}
			again := storetest.Open(t, c)
			engine := storetest.Engine(t, again, nil)
			if n := found(engine); n != 11 {
				t.Errorf("%s: %d found after opening again", what, n)
			}
			_, err := engine.Do(ctx, models.System(), models.Command{Op: models.Update, Object: "contact", Number: 1, Sets: []models.Set{{Field: contact.Field("job_title"), Value: what}}})
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}
