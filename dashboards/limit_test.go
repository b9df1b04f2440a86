package dashboards

import (
	"fmt"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	l := newLimiter(3, 10*time.Second, func() time.Time { return now })
	for i := range 3 {
		if _, ok := l.take("a"); !ok {
			t.Fatalf("attempt %d of the burst was refused", i)
		}
	}
	if wait, ok := l.take("a"); ok || wait != 10*time.Second {
		t.Errorf("past the burst: %t, wait %s", ok, wait)
	}
	if _, ok := l.take("b"); !ok {
		t.Error("another key was refused")
	}
	now = now.Add(4 * time.Second)
	if wait, ok := l.take("a"); ok || wait != 6*time.Second {
		t.Errorf("four seconds later: %t, wait %s", ok, wait)
	}
	now = now.Add(6 * time.Second)
	if _, ok := l.take("a"); !ok {
		t.Error("one attempt comes back each interval")
	}
	l.giveBack("a")
	if _, ok := l.take("a"); !ok {
		t.Error("an attempt that turned out well is given back")
	}
	now = now.Add(time.Hour)
	for i := range 3 {
		if _, ok := l.take("a"); !ok {
			t.Errorf("attempt %d after an hour was refused", i)
		}
	}
	if _, ok := l.take("a"); ok {
		t.Error("an hour gives no more than the burst back")
	}
}

// A flood of keys neither grows the memory nor frees those who used up their attempts, as long as others can be forgotten.
func TestLimiterIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	l := newLimiter(1, time.Minute, func() time.Time { return now })
	for i := range maxBuckets - 1 {
		l.take(fmt.Sprint(i))
	}
	now = now.Add(time.Hour)
	l.take("guilty")
	for i := range maxBuckets {
		l.take(fmt.Sprint("more ", i))
		if len(l.buckets) > maxBuckets {
			t.Fatalf("%d keys", len(l.buckets))
		}
		if i == 10 {
			if _, ok := l.take("guilty"); ok {
				t.Fatal("the flood freed a key without attempts")
			}
		}
	}
}
