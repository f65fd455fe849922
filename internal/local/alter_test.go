package local

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// alterTo alters a collection as the root does it, with nobody else around.
func alterTo(t *testing.T, s *store, name string, plan func(engine.Schema) engine.Alteration) (c engine.Collection) {
	t.Helper()
	require.NoError(t, s.Alter(t.Context(), engine.Alter{
		Name:  name,
		Plan:  func(was engine.Schema) (engine.Alteration, error) { return plan(was), nil },
		Alone: func(_ context.Context, run func() error) error { return run() },
		Done:  func(done engine.Collection) { c = done },
	}))
	return c
}

// objects returns what a file has for a collection beside its tables.
func objects(t *testing.T, s *store, collection string) (names []string) {
	t.Helper()
	rows, err := s.read.QueryContext(t.Context(), `SELECT type || ' ' || name FROM sqlite_schema
		WHERE sql IS NOT NULL AND (name LIKE ?1 || '.values.%' OR name LIKE ?1 || '.index.%') ORDER BY 1`, collection)
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var name string
		require.NoError(t, rows.Scan(&name))
		names = append(names, strings.Join(strings.Split(name, ".")[:3], "."))
	}
	require.NoError(t, rows.Err())
	return names
}

// Nothing is left of a field that is dropped, and what finds records by a field has its
// place when the field has another name.
func TestAlterLeavesNothing(t *testing.T) {
	s := newStore(t)
	schema := engine.Schema{Name: "docs", Dim: 2, Fields: []engine.Field{
		{Name: "tags", Type: filter.Strings, Index: true}, {Name: "meta", Type: filter.JSON, Paths: []string{"a.b", "c"}}, {Name: "n", Type: filter.Int, Index: true},
	}}
	create(t, s, schema)
	before := objects(t, s, "docs")
	require.Len(t, before, 1+3+2)
	c := alterTo(t, s, "docs", func(was engine.Schema) engine.Alteration {
		was.Fields = slices.Clone(was.Fields)
		was.Fields[0].Name, was.Fields[1].Name = "labels", "info"
		return engine.Alteration{Schema: was, From: []int{0, 1, 2}}
	})
	require.Contains(t, objects(t, s, "docs"), "table docs.values.labels")
	var plan string
	var id, parent, unused int
	f, err := filter.Eq("info.a.b", 7).Check(func(string) (filter.Type, bool) { return filter.JSON, true })
	require.NoError(t, err)
	where, args := c.(*collection).compile(f)
	require.NoError(t, s.read.QueryRowContext(t.Context(), `EXPLAIN QUERY PLAN SELECT 1 FROM "docs.rows" r WHERE `+where, args...).Scan(&id, &parent, &unused, &plan))
	require.Contains(t, plan, "docs.index.meta.0", "the index over the path is used")
	alterTo(t, s, "docs", func(was engine.Schema) engine.Alteration {
		was.Fields = []engine.Field{{Name: "tags", Type: filter.Ints, Index: true}}
		return engine.Alteration{Schema: was, From: []int{-1}}
	})
	require.Equal(t, []string{"table docs.values.tags", "trigger docs.values.tags", "trigger docs.values.tags", "trigger docs.values.tags"}, objects(t, s, "docs"))
	alterTo(t, s, "docs", func(was engine.Schema) engine.Alteration {
		was.Fields = nil
		return engine.Alteration{Schema: was}
	})
	require.Empty(t, objects(t, s, "docs"))
}

// A BuildIndex that begins while an alteration waits for others ends first, and neither
// waits for the other.
func TestAlterLetsLinksBe(t *testing.T) {
	s := newStore(t)
	c := create(t, s, testSchema)
	builds := 0
	require.NoError(t, s.Alter(t.Context(), engine.Alter{
		Name: "docs",
		Plan: func(was engine.Schema) (engine.Alteration, error) {
			was.Fields = nil
			return engine.Alteration{Schema: was}, nil
		},
		Alone: func(ctx context.Context, run func() error) error {
			require.NoError(t, c.BuildIndex(ctx, engine.IndexPlan{}), "a call that was begun before")
			builds++
			return run()
		},
		Done: func(engine.Collection) {},
	}))
	require.Equal(t, 1, builds)
	_, err := c.Count(t.Context(), filter.Filter{})
	require.ErrorIs(t, err, engine.ErrAltered)
}
