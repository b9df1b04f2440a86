package crm_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"canopy/crm/store"
	"canopy/crm/store/storetest"
	"canopy/models"
)

// told is one thing that somebody said of a deal: the slow, obvious reference plays them in order of (at, said).
type told struct {
	at      time.Time
	said    int
	name    string // "" leaves the name
	stage   uint64 // 0 leaves the stage
	deleted int    // 1 deletes, 2 restores
}

// expected plays what was said up to two cut-offs: happened before, and said among the first known.
func expected(all []told, before time.Time, known int) (name string, stage uint64, closed time.Time, deleted, exists bool) {
	var list []told
	for _, x := range all {
		if x.said < known && x.at.Before(before) {
			list = append(list, x)
		}
	}
	slices.SortStableFunc(list, func(x, y told) int { return x.at.Compare(y.at) })
	for _, x := range list {
		exists = true
		if x.name != "" {
			name = x.name
		}
		if x.stage != 0 && x.stage != stage {
			stage, closed = x.stage, x.at
		}
		switch x.deleted {
		case 1:
			deleted = true
		case 2:
			deleted = false
		}
	}
	return name, stage, closed, deleted, exists
}

// TestAnyOrderOfTellingGivesTheSameStory writes changes at random instants in random order of telling and compares the
// state as of random pairs of cut-offs with the reference. Deletions and stages take part.
func TestAnyOrderOfTellingGivesTheSameStory(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, c)
		rounds := 40
		if w.db.IsPostgres() {
			rounds = 8
		}
		for seed := range rounds {
			random := rand.New(rand.NewPCG(uint64(seed), 7)) //nolint:gosec // a test's choices
			story := []told{{at: day(1), name: "n0", stage: w.open}}
			deal := w.deal(fmt.Sprintf(`{"name":"n0","stage":"stage_%d"}`, w.open), day(1))
			positions := []uint64{w.head()}
			for said := 1; said < 14; said++ {
				x := told{at: day(1).Add(time.Duration(random.IntN(12)) * 24 * time.Hour), said: said}
				command := models.Command{Op: models.Update, Object: "deal", Number: deal.Number, HappenedAt: x.at}
				_, stage, _, deletedThen, _ := expected(story, x.at.Add(time.Millisecond), 99)
				_, _, _, deletedNow, _ := expected(story, day(30), 99)
				switch choice := random.IntN(8); {
				case choice < 3 && !deletedNow:
					x.name = fmt.Sprintf("n%d", said)
					command.Sets = w.sets("deal", fmt.Sprintf(`{"name":%q}`, x.name))
				case choice < 6 && !deletedNow:
					x.stage = []uint64{w.open, w.won}[random.IntN(2)]
					if x.stage == stage {
						continue // what changes nothing there and then is not written
					}
					command.Sets = w.sets("deal", fmt.Sprintf(`{"stage":"stage_%d"}`, x.stage))
				case deletedNow && !deletedThen, !deletedNow && deletedThen:
					continue
				case deletedNow:
					x.deleted, command.Op = 2, models.Restore
				default:
					x.deleted, command.Op = 1, models.Delete
				}
				w.do(command)
				story = append(story, x)
				positions = append(positions, w.head())
			}
			for range 60 {
				before := day(1).Add(time.Duration(random.IntN(15)) * 24 * time.Hour)
				known := 1 + random.IntN(len(story))
				name, stage, closed, deleted, exists := expected(story, before, story[known-1].said+1)
				r := w.asOf(deal.Number, before, positions[known-1])
				if !exists {
					if r != nil {
						t.Fatalf("seed %d: it did not exist before %v, got %v", seed, before, r.Values)
					}
					continue
				}
				if r == nil || r.Get("name") != name || r.Get("stage") != stage || r.Deleted != deleted {
					t.Fatalf("seed %d, before %v, known %d: want %s stage %d deleted %t, got %+v", seed, before, known, name, stage, deleted, r)
				}
				if stage == w.won && r.Get("closed_at") != closed {
					t.Fatalf("seed %d, before %v, known %d: closed %v, want %v", seed, before, known, r.Get("closed_at"), closed)
				}
			}
			w.present(deal.Number)
		}
	})
}
