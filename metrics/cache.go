package metrics

import (
	"container/list"
	"context"
	"sync"
)

// cache keeps the answers used last. Keys hold all that an answer depends on (position, version, scope, whether the week is over), so
// that nothing ever has to be dropped for being old.
type cache struct {
	mu    sync.Mutex
	size  int
	order *list.List // of *entry, the one used last in front
	byKey map[string]*list.Element
}

type entry struct {
	key   string
	value any
}

func newCache(size int) *cache {
	return &cache{size: size, order: list.New(), byKey: map[string]*list.Element{}}
}

func (c *cache) get(key string) (any, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byKey[key]
	if e == nil {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*entry).value, true //nolint:forcetypeassert // nothing else is in the list
}

func (c *cache) put(key string, value any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byKey[key]; e != nil {
		c.order.MoveToFront(e)
		e.Value = &entry{key, value}
		return
	}
	c.byKey[key] = c.order.PushFront(&entry{key, value})
	for c.order.Len() > c.size {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.byKey, last.Value.(*entry).key) //nolint:forcetypeassert // the same
	}
}

// once gives the cached value of key, or makes it: together with everybody who asks for the same meanwhile, and to its end even when the
// first of them goes away.
func once[T any](ctx context.Context, s *Service, key string, compute func(context.Context) (T, error)) (T, error) {
	if v, ok := s.cache.get(key); ok {
		return v.(T), nil //nolint:forcetypeassert // a key names its type
	}
	v, err, _ := s.flights.Do(key, func() (any, error) {
		made, err := compute(context.WithoutCancel(ctx))
		if err == nil {
			s.cache.put(key, made)
		}
		return made, err
	})
	if err != nil {
		var none T
		return none, err
	}
	return v.(T), nil //nolint:forcetypeassert // the same
}
