package crm_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"canopy/crm"
	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"

	"pgregory.net/rapid"
)

// found gives the ids that a search finds, in its order.
func (w *world) found(reader models.Reader, text string, objects ...string) string {
	w.Helper()
	groups, err := w.engine.Search(ctx, reader, crm.SearchQuery{Text: text, Objects: objects, Limit: crm.MaxHits})
	if err != nil {
		w.Fatal(err)
	}
	var ids []string
	for _, g := range groups {
		for _, h := range g.Hits {
			ids = append(ids, h.Record.ID())
		}
	}
	return strings.Join(ids, " ")
}

func (w *world) finds(text, want string) {
	w.Helper()
	if got := w.found(models.System(), text, "contact", "account", "deal"); got != want {
		w.Errorf("%q finds %q, want %q", text, got, want)
	}
}

// Both databases find the same, in the same order: folded, by words, whole values first.
func TestSearchFindsTheSameOnBothDatabases(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		one := w.make("contact", `{"name":"Søren Ærø-Łukasiewicz","email":"soren.aero@straße.example","phone":"+45 32 12 34 56"}`)
		two := w.make("contact", `{"name":"Renée O'Brien","email":"renee@acme-labs.example"}`)
		three := w.make("contact", `{"name":"Анна Каренина","email":"anna@example.org"}`)
		four := w.make("contact", `{"name":"Anna","email":"a@example.org"}`)
		labs := w.make("account", `{"name":"Anna Labs","domain":"acme-labs.example"}`)
		contact := func(numbers ...uint64) string {
			var ids []string
			for _, n := range numbers {
				ids = append(ids, fmt.Sprintf("contact_%d", n))
			}
			return strings.Join(ids, " ")
		}
		account := fmt.Sprintf("account_%d", labs)
		for text, want := range map[string]string{
			"SOREN": contact(one), "lukas": contact(one), "aero luk": contact(one), "luk soren": contact(one), "strasse": contact(one),
			"+45 32": contact(one), "32123456": contact(one), "0045 32123456": contact(one), "ren": contact(two), "o'brien": contact(two), "brien": contact(two),
			"rien": "", "анна": contact(three), "КАР": contact(three), "anna": contact(four, three) + " " + account, "anna@example.org": contact(three),
			"anna@ex": contact(three), "an": contact(four, three) + " " + account, "br": "", "acme-labs.example": contact(two) + " " + account, "acme-l": contact(two) + " " + account,
			"labs anna": account, "acme labs": contact(two) + " " + account, contact(two): contact(two), "contact_0": "", "contact_999": "", "renee bob": "",
			`"quo*te" OR ^`: "", "___": "", "100%": "",
		} {
			if text == "___" { // nothing to ask
				continue
			}
			w.finds(text, want)
		}
		for _, text := range []string{"", " ", "&&&", strings.Repeat("x", models.MaxSearchText+1)} {
			_, err := w.engine.Search(ctx, models.System(), crm.SearchQuery{Text: text})
			if models.CodeOf(err) != models.Invalid {
				t.Errorf("%.10q: %v", text, err)
			}
		}
	})
}

// What is found follows the record through every kind of write, and through a store that makes its terms anew.
func TestSearchFollowsTheRecord(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		id := "contact_1"
		write := func(op models.Op, fields, cause string, at int) {
			t.Helper()
			command := models.Command{Op: op, Object: "contact", Number: 1, Cause: cause}
			if op == models.Create {
				command.Number = 0
			}
			if fields != "" {
				command.Sets = w.sets("contact", fields)
			}
			if at != 0 {
				command.HappenedAt = day(at)
			}
			w.do(command)
		}
		write(models.Create, `{"name":"First Name","email":"one@example.org"}`, "api", 5)
		w.finds("first", id)
		write(models.Update, `{"name":"Second Name"}`, "api", 10)
		w.finds("first name", "")
		w.finds("second", id)
		w.finds("one@example.org", id)
		write(models.Update, `{"email":"third@example.org"}`, "api", 7) // back-dated, and still true now
		w.finds("third@example.org", id)
		w.finds("one@example.org", "")
		write(models.Update, `{"name":"Between"}`, "api", 8) // back-dated, and overtaken since
		w.finds("between", "")
		w.finds("second", id)
		write(models.Delete, "", "api", 0)
		w.finds("second", "")
		w.finds(id, "")
		write(models.Restore, "", "undo:1", 0)
		w.finds("second", id)
		write(models.Update, `{"email":null}`, "api", 0)
		w.finds("third@example.org", "")

		if err := w.engine.Run(ctx, crm.Interactive, func(ctx context.Context) error {
			_, err := w.engine.Do(ctx, models.System(), models.Command{Op: models.Update, Object: "contact", Number: 1, Sets: w.sets("contact", `{"name":"Rolled Back"}`)})
			if err != nil {
				return err
			}
			return errors.New("rolled back")
		}); err == nil {
			t.Fatal("not rolled back")
		}
		w.finds("rolled", "")
		w.finds("second", id)

	})
}

// Many records written together are found like those written alone.
func TestSearchFindsWhatBatchesWrite(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		commands := make([]models.Command, 100)
		for i := range commands {
			commands[i] = models.Command{Op: models.Create, Object: "contact", Sets: w.sets("contact", fmt.Sprintf(`{"name":"Person Number%d","email":"p%d@example.org"}`, i, i))}
		}
		commands[50].Sets = w.sets("contact", `{"name":"Double","email":"p7@example.org"}`)
		results, err := w.engine.Batch(ctx, models.System(), commands)
		if err != nil {
			t.Fatal(err)
		}
		if results[50].Err == nil || results[50].Err.Code != models.Conflict {
			t.Errorf("a second p7: %v", results[50].Err)
		}
		for i, r := range results {
			if i == 50 {
				continue
			}
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if got := w.found(models.System(), fmt.Sprintf("p%d@example.org", i), "contact"); !strings.HasPrefix(got, r.Record.ID()) {
				t.Fatalf("p%d@example.org finds %q, want %s first", i, got, r.Record.ID())
			}
		}
		w.finds("double", "")
	})
}

// A search gives the whole of what Rank says of the visible records, whatever is asked.
func TestSearchIsRankOverWhatIsVisible(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		names := []string{"Ann", "Anna", "Annabel Lee", "Lee Ann", "Bo", "Élan Lee", "O'Lee"}
		owner := w.make("user", `{"name":"Olga","role":"editor","scope":"owner"}`)
		other := w.make("user", `{"name":"Otto","role":"editor","scope":"owner"}`)
		var records []*models.Record
		for i, name := range names {
			for _, of := range []uint64{owner, other} {
				records = append(records, w.do(models.Command{Op: models.Create, Object: "contact", Sets: w.sets("contact",
					fmt.Sprintf(`{"name":%q,"email":"%s%d.%d@lee.example","owner":"user_%d"}`, name, strings.ToLower(name[:1]), i, of, of))}))
			}
		}
		reader := models.Reader{User: owner, Name: "Olga", Role: models.Editor, Scope: models.ScopeOwner}
		rapid.Check(t, func(t *rapid.T) {
			text := rapid.StringMatching(`(a|an|ann|anna|lee|le|l|bo|el|elan|o'|o'l|b4|lee.example)( (a|ann|lee|o))?`).Draw(t, "text")
			q, err := models.ParseSearch(text)
			if err != nil {
				t.Fatal(err)
			}
			for _, as := range []models.Reader{models.System(), reader} {
				type ranked struct {
					class  models.MatchClass
					number uint64
				}
				var want []ranked
				for _, r := range records {
					if class, _ := q.Rank(r.Object, r.Values); class != models.MatchNothing && (as.SeesAll() || r.Get("owner") == owner) {
						want = append(want, ranked{class, r.Number})
					}
				}
				slices.SortStableFunc(want, func(x, y ranked) int {
					if x.class != y.class {
						return int(x.class - y.class)
					}
					return int(x.number) - int(y.number)
				})
				ids := make([]string, len(want))
				for i, r := range want {
					ids[i] = fmt.Sprintf("contact_%d", r.number)
				}
				if got := w.found(as, text, "contact"); got != strings.Join(ids, " ") {
					t.Fatalf("%q finds %q, want %q", text, got, strings.Join(ids, " "))
				}
			}
		})
	})
}
