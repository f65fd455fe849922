package live

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vecwire/vecwire/internal/engine"
)

// Names are the collections of a database that are open, by folded name.
type Names struct {
	mu     sync.Mutex
	byName map[string]*Collection
}

func fold(name string) string { return strings.ToLower(name) }

// Of returns the collection of a name, which may be new.
func (n *Names) Of(name string) *Collection {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.byName == nil {
		n.byName = map[string]*Collection{}
	}
	found, ok := n.byName[fold(name)]
	if !ok {
		found = &Collection{}
		n.byName[fold(name)] = found
	}
	return found
}

// Seen returns the collection of a name, nil if there is none yet, and what it is now.
func (n *Names) Seen(name string) (*Collection, *engine.Collection) {
	n.mu.Lock()
	defer n.mu.Unlock()
	found := n.byName[fold(name)]
	if found == nil {
		return nil, nil
	}
	return found, found.now.Load()
}

// All returns the collections, in any order.
func (n *Names) All() []*Collection {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Collect(maps.Values(n.byName))
}

// Follow has each follow: a transaction cannot open collections again.
func (n *Names) Follow(ctx context.Context, open Open) error {
	for _, is := range n.All() {
		if err := is.Follow(ctx, open); err != nil && !errors.Is(err, engine.ErrNotFound) {
			return err
		}
	}
	return nil
}

// Forget ends the use of names: other collections may have them from now on.
func (n *Names) Forget(names ...string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, name := range names {
		delete(n.byName, fold(name))
	}
}

// Rename gives a collection that is in use another name.
func (n *Names) Rename(from, to string, is *Collection) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.byName[fold(from)] == is {
		delete(n.byName, fold(from))
		n.byName[fold(to)] = is
	}
}
