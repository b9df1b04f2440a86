package dashboards

import (
	"math"
	"sync"
	"time"
)

// limiter lets a few attempts a key through and then one each interval: a token bucket a key. It is bounded: when it is full,
// keys that have their whole burst back are forgotten first.
type limiter struct {
	burst    float64
	interval time.Duration // time in which one attempt comes back
	now      func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket
}

type bucket struct {
	left float64
	at   time.Time
}

const maxBuckets = 20_000

func newLimiter(burst int, interval time.Duration, now func() time.Time) *limiter {
	return &limiter{burst: float64(burst), interval: interval, now: now, buckets: map[string]bucket{}}
}

// take uses one attempt of a key; where none is left it tells how long to wait.
func (l *limiter) take(key string) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.current(key)
	if b.left < 1 {
		l.buckets[key] = b
		return time.Duration(math.Ceil((1 - b.left) * float64(l.interval))), false
	}
	if _, known := l.buckets[key]; !known && len(l.buckets) >= maxBuckets {
		l.forget()
	}
	b.left--
	l.buckets[key] = b
	return 0, true
}

// giveBack returns an attempt that turned out well.
func (l *limiter) giveBack(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.current(key)
	b.left = min(l.burst, b.left+1)
	l.buckets[key] = b
}

func (l *limiter) current(key string) bucket {
	now := l.now()
	b, known := l.buckets[key]
	if !known {
		return bucket{left: l.burst, at: now}
	}
	return bucket{left: min(l.burst, b.left+float64(now.Sub(b.at))/float64(l.interval)), at: now}
}

// forget drops full buckets, and where there are none any one, so that memory stays bounded under a flood of keys.
func (l *limiter) forget() {
	for key := range l.buckets {
		if l.current(key).left >= l.burst {
			delete(l.buckets, key)
		}
	}
	for key := range l.buckets {
		if len(l.buckets) < maxBuckets {
			return
		}
		delete(l.buckets, key)
	}
}
