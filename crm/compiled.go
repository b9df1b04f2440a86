package crm

import (
	"sync"
	"sync/atomic"

	"canopy/models"
)

// compiled is a registry with the rules of its objects.
type compiled struct {
	registry *models.Registry
	rules    map[string]*rules // by object
}

// compilations keeps the compiled form of the registry in force. Objects that a newer registry shares keep their rules.
type compilations struct {
	mu      sync.Mutex
	current atomic.Pointer[compiled]
}

// of gives a registry's compiled form. Where one cannot be compiled, it comes without rules and with the reason.
func (c *compilations) of(registry *models.Registry) (*compiled, error) {
	if now := c.current.Load(); now != nil && now.registry == registry {
		return now, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.current.Load()
	if now != nil && now.registry == registry {
		return now, nil
	}
	next, err := compileRegistry(registry, now)
	if err != nil {
		return &compiled{registry: registry}, err
	}
	if now == nil || registry.Version() >= now.registry.Version() {
		c.current.Store(next)
	}
	return next, nil
}

// compileRegistry compiles what a registry has beyond an earlier one (nil: all of it).
func compileRegistry(registry *models.Registry, earlier *compiled) (*compiled, error) {
	next := &compiled{registry: registry, rules: make(map[string]*rules, len(registry.Objects()))}
	for _, object := range registry.Objects() {
		if earlier != nil && earlier.rules[object.Name] != nil && earlier.rules[object.Name].object == object {
			next.rules[object.Name] = earlier.rules[object.Name]
			continue
		}
		r, err := compileRules(object)
		if err != nil {
			return nil, err
		}
		next.rules[object.Name] = r
	}
	return next, nil
}
