// Package enginetest is the conformance suite: what every engine of vecwire must
// do, stated through the public API, with a small model to compare with.
//
// The suite fails where an engine is wrong: no answer makes it panic, or run
// without end.
//
// An engine passes by doing the same as the others. What its capabilities say
// it lacks (see [vecwire.DB.Capabilities]) the suite expects to be refused with
// [vecwire.ErrUnsupported]; there is no other way to be excused. The suite
// knows no engine and no SQL.
//
// The cases are one file a theme. Each makes the collections that it needs and
// drops them. Random data comes from fixed seeds.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// Target is a database to run the suite on.
type Target struct {
	// Open connects to the target's database, which is the suite's own and empty
	// at the first call. The suite closes what Open returns.
	Open func(t testing.TB) *vecwire.DB
	// Shared says that a database may be open several times at once.
	Shared bool
	// Persistent says that what was stored is there after Close and Open.
	Persistent bool
	// Remote says that the collections are on other servers than the one that is
	// connected to, whose memory a build does not set.
	Remote bool
	// Distributed is what every collection of the suite has as its Schema.Distributed
	// that does not say so itself.
	Distributed vecwire.Distribution
	// Light makes the suite run every case with the fewest samples: for what is slow
	// and for a server that is tested in several forms.
	Light bool
	// Turn is the place of a light target among others of its kind: each goes through
	// another third of what does not depend on the form of the server.
	Turn int
}

// Run runs the suite. With -short it takes smaller samples of the random cases.
func Run(t *testing.T, target Target) {
	s := &suite{target: target, db: target.Open(t)}
	s.caps = s.db.Capabilities()
	t.Cleanup(func() { s.db.Close() })

	for _, theme := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"Lifecycle", s.lifecycle},
		{"Schemas", s.schemas},
		{"Identity", s.identity},
		{"Refusals", s.refusals},
		{"Upsert", s.upsert},
		{"Update", s.update},
		{"Alter", s.alter},
		{"Reading", s.reading},
		{"Deleting", s.deleting},
		{"Values", s.values},
		{"Filters", s.filters},
		{"FilterRefusals", s.filterRefusals},
		{"Lists", s.lists},
		{"JSON", s.json},
		{"TextFilters", s.textFilters},
		{"Metrics", s.metrics},
		{"Search", s.search},
		{"SearchMany", s.searchMany},
		{"Ties", s.ties},
		{"Offset", s.offset},
		{"After", s.after},
		{"Vectors", s.vectors},
		{"Named", s.named},
		{"MaxSim", s.maxSim},
		{"SmallVectors", s.small},
		{"Stream", s.stream},
		{"Order", s.order},
		{"Facets", s.facets},
		{"Usage", s.usage},
		{"Sizes", s.sizes},
		{"Embedding", s.embedding},
		{"Reembed", s.reembed},
		{"Ingest", s.ingest},
		{"Numbers", s.numbers},
		{"Reuse", s.reuse},
		{"Recall", s.recall},
		{"Ranking", s.ranking},
		{"Snippets", s.snippets},
		{"Passages", s.passages},
		{"Expiry", s.expiry},
		{"Caches", s.caches},
		{"Indexing", s.indexing},
		{"Codes", s.codes},
		{"Boosts", s.boosts},
		{"Groups", s.groups},
		{"GroupsReranked", s.groupsReranked},
		{"FullText", s.fullText},
		{"Namespaces", s.namespaces},
		{"Distributed", s.distributed},
		{"Typed", s.typed},
		{"Mirror", s.mirror},
		{"Concurrency", s.concurrency},
		{"Cancellation", s.cancellation},
		{"CancelledAnywhere", s.cancelledAnywhere},
		{"CancelledDefinitions", s.cancelledDefinitions},
		{"CancelledUpkeep", s.cancelledUpkeep},
		{"Capabilities", s.capabilities},
		{"Upkeep", s.upkeep},
		{"Transactions", s.transactions},
		{"TransactionsEnded", s.transactionsEnded},
		{"Isolation", s.isolation},
		{"IsolationVerbs", s.isolationVerbs},
		{"Sharing", s.sharing},
	} {
		run(t, theme.name, theme.run)
	}

	assert.NoError(t, s.db.Close())
	run(t, "Closing", s.closing)
	run(t, "Reopening", s.reopening)
}

// run runs a case. A panic in it, as over an answer that is shorter than it must
// be, fails the case and does not end the other cases.
func run(t *testing.T, name string, f func(*testing.T)) {
	t.Run(name, func(t *testing.T) {
		defer func() {
			if p := recover(); p != nil {
				t.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		f(t)
	})
}

// suite is one run.
type suite struct {
	target Target
	db     *vecwire.DB
	caps   vecwire.Capabilities
	names  atomic.Int64
	// wordsInMirrors has create make collections with full text as mirrors, of
	// collections that have none.
	wordsInMirrors bool
}

// name returns a collection's name that no other case uses.
func (s *suite) name() string { return fmt.Sprintf("c%d", s.names.Add(1)) }

// create makes a collection, named by the suite unless the schema is, and drops
// it when the test ends.
func (s *suite) create(t testing.TB, schema vecwire.Schema) *vecwire.Collection {
	t.Helper()
	return s.createIn(t, s.db, schema)
}

func (s *suite) createIn(t testing.TB, db *vecwire.DB, schema vecwire.Schema) *vecwire.Collection {
	t.Helper()
	if schema.Name == "" {
		schema.Name = s.name()
	}
	text := schema.FullText
	if s.wordsInMirrors {
		schema.FullText = vecwire.NoFullText
	}
	if schema.Distributed == vecwire.NotDistributed {
		schema.Distributed = s.target.Distributed
	}
	c, err := db.CreateCollection(t.Context(), schema)
	require.NoError(t, err)
	t.Cleanup(func() {
		err := db.DropCollection(context.Background(), schema.Name)
		if err != nil && !errors.Is(err, vecwire.ErrNotFound) && !errors.Is(err, vecwire.ErrClosed) {
			t.Errorf("drop %s: %v", schema.Name, err)
		}
	})
	if s.wordsInMirrors && text != vecwire.NoFullText {
		return mirrored(t, c, vecwire.MirrorOptions{FullText: text}).Collection
	}
	return c
}

// eachKind runs a case for every element type and metric, in a light run for every third.
// What the engine does not have must be refused by name.
func (s *suite) eachKind(t *testing.T, each func(*testing.T, vecwire.Element, vecwire.Metric)) {
	for i, element := range []vecwire.Element{vecwire.FLOAT, vecwire.DOUBLE} {
		for j, metric := range []vecwire.Metric{vecwire.Cosine, vecwire.Dot, vecwire.L2} {
			if s.target.Light && (i+j+s.target.Turn)%3 != 0 {
				continue
			}
			run(t, fmt.Sprintf("%s/%s", element, metric), func(t *testing.T) {
				lacks := ""
				if metric == vecwire.L2 && !s.caps.L2 {
					lacks = "L2"
				}
				if element == vecwire.DOUBLE && !s.caps.Doubles {
					lacks = "DOUBLE"
				}
				if lacks == "" {
					each(t, element, metric)
					return
				}
				name := s.name()
				_, err := s.db.CreateCollection(t.Context(), vecwire.Schema{Name: name, Dim: 3, Element: element, Metric: metric})
				require.ErrorIs(t, err, vecwire.ErrUnsupported)
				require.ErrorContains(t, err, lacks)
				require.ErrorContains(t, err, s.caps.Engine)
				require.ErrorIs(t, s.db.DropCollection(t.Context(), name), vecwire.ErrNotFound, "it was made all the same")
			})
		}
	}
}

// sample returns n, or a smaller number with -short or for a light run.
func (s *suite) sample(n int) int {
	switch {
	case s.target.Light:
		return max(1, n/10)
	case testing.Short():
		return max(1, n/5)
	}
	return n
}

// share returns every n-th of what a case goes through, beginning at another place for
// each offset, so that a few offsets go through all of it. With -short and in a light
// run n is greater, as [suite.sample] is smaller.
func share[T any](s *suite, all []T, n, offset int) []T {
	n *= 100 / s.sample(100)
	var some []T
	for i := offset % n; i < len(all); i += n {
		some = append(some, all[i])
	}
	return some
}

// turn returns all that a case goes through, and in a light run every third of it, so that
// three light targets of one kind go through all.
func turn[T any](s *suite, all []T) []T {
	if !s.target.Light {
		return all
	}
	var some []T
	for i := s.target.Turn % 3; i < len(all); i += 3 {
		some = append(some, all[i])
	}
	return some
}
