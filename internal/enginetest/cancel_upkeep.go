package enginetest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/internal/expiry"
)

// cancelledUpkeep ends the context of each verb that looks after a collection at each of
// its steps. Whatever comes of it, the records are as they were, and the verb goes through
// when it is called again.
func (s *suite) cancelledUpkeep(t *testing.T) {
	records := func() (records []vecwire.Record) {
		for i := range 40 {
			records = append(records, vecwire.Record{ID: fmt.Sprintf("%02d", i), Vector: []float32{1, float32(i)}, Text: fmt.Sprint("text ", i)})
		}
		return records
	}
	indexes := func(t *testing.T, c *vecwire.Collection) int {
		found, err := c.Indexes(t.Context())
		require.NoError(t, err)
		return len(found)
	}
	copied := func(t *testing.T, c *vecwire.Collection, path string) {
		db, err := vecwire.Open(t.Context(), path)
		require.NoError(t, err)
		defer func() { require.NoError(t, db.Close()) }()
		there, err := db.OpenCollection(t.Context(), c.Schema().Name)
		require.NoError(t, err)
		require.Equal(t, collect(t, c, vecwire.Scan{Vectors: true}), collect(t, there, vecwire.Scan{Vectors: true}))
	}
	// A verb is given a path that is its own; done sees what is there when it returned nil.
	type verb struct {
		call func(ctx context.Context, c *vecwire.Collection, path string) error
		done func(t *testing.T, c *vecwire.Collection, path string)
	}
	verbs := map[string]verb{
		"Mirror": {
			call: func(ctx context.Context, c *vecwire.Collection, _ string) error {
				m, err := c.Mirror(ctx, vecwire.MirrorOptions{})
				if err != nil {
					return err
				}
				return errors.Join(m.Refresh(ctx), m.Close())
			},
		},
	}
	if s.caps.Indexes {
		verbs["BuildIndex"] = verb{
			call: func(ctx context.Context, c *vecwire.Collection, _ string) error {
				return c.BuildIndex(ctx, vecwire.IndexOptions{})
			},
			done: func(t *testing.T, c *vecwire.Collection, _ string) { require.Equal(t, 1, indexes(t, c)) },
		}
		verbs["DropIndex"] = verb{
			call: func(ctx context.Context, c *vecwire.Collection, _ string) error {
				found, err := c.Indexes(t.Context())
				if err == nil && len(found) == 0 {
					if err = c.BuildIndex(t.Context(), vecwire.IndexOptions{}); err == nil {
						found, err = c.Indexes(t.Context())
					}
				}
				if err != nil {
					return err
				}
				return c.DropIndex(ctx, found[0].Name)
			},
			done: func(t *testing.T, c *vecwire.Collection, _ string) { require.Zero(t, indexes(t, c)) },
		}
	}
	if s.caps.Effort {
		verbs["Tune"] = verb{
			call: func(ctx context.Context, c *vecwire.Collection, _ string) error {
				if err := c.BuildIndex(t.Context(), vecwire.IndexOptions{}); err != nil {
					return err
				}
				_, err := c.Tune(ctx, vecwire.TuneOptions{Recall: 0.5, Measure: vecwire.RecallOptions{Sample: 4}})
				if err != nil && strings.Contains(err.Error(), "BuildIndex") { // with so few records it is not needed
					err = nil
				}
				return err
			},
		}
	}
	if s.caps.Engine == "embedded" {
		verbs["Compact"] = verb{call: func(ctx context.Context, _ *vecwire.Collection, _ string) error { return s.db.Compact(ctx) }}
		verbs["Check"] = verb{call: func(ctx context.Context, _ *vecwire.Collection, _ string) error {
			r, err := s.db.Check(ctx)
			if err == nil && r.Total > 0 {
				return fmt.Errorf("found: %v", r.Problems)
			}
			return err
		}}
		verbs["Backup"] = verb{call: func(ctx context.Context, _ *vecwire.Collection, path string) error { return s.db.Backup(ctx, path) }, done: copied}
		verbs["Salvage"] = verb{call: func(ctx context.Context, _ *vecwire.Collection, path string) error {
			_, err := s.db.Salvage(ctx, path)
			return err
		}, done: copied}
	}
	for name, v := range verbs {
		run(t, name, func(t *testing.T) {
			ctx := t.Context()
			dir := t.TempDir()
			begin := func(at int) (*vecwire.Collection, string) {
				c := s.create(t, vecwire.Schema{Dim: 2})
				require.NoError(t, c.Upsert(ctx, records()...))
				return c, filepath.Join(dir, fmt.Sprint(at, ".db"))
			}
			c, path := begin(0)
			m := newModel(c.Schema(), records()...)
			looks, err := looksOf(ctx, func(ctx context.Context) error { return v.call(ctx, c, path) })
			require.NoError(t, err)
			for _, at := range s.steps(looks) {
				c, path := begin(at)
				l := newLooked(ctx, at)
				err := v.call(l, c, path)
				l.cancel()
				where := fmt.Sprintf("%d of %d looks: %v", at, looks, err)
				m.expectAll(t, c)
				if err != nil {
					if !errors.Is(err, vecwire.ErrOutcomeUnknown) {
						require.ErrorIs(t, err, context.Canceled, where)
					}
					var again error // a server may build for a moment longer than it is asked to
					require.Eventually(t, func() bool {
						again = v.call(ctx, c, path)
						return !errors.Is(again, vecwire.ErrExists)
					}, time.Minute, time.Millisecond, where)
					require.NoError(t, again, "again after %s", where)
					m.expectAll(t, c)
				}
				if v.done != nil {
					v.done(t, c, path)
				}
				require.NoError(t, s.db.DropCollection(ctx, c.Schema().Name))
			}
		})
	}
	run(t, "DeleteExpired", s.cancelledSweep)
}

// cancelledSweep: what a sweep says that it removed is what is gone.
func (s *suite) cancelledSweep(t *testing.T) {
	born := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond) // ahead of the sweeps in the background
	later := expiry.At(t.Context(), born.Add(time.Hour))
	begin := func() *vecwire.Collection {
		c := s.create(t, vecwire.Schema{Dim: 2, Fields: []vecwire.Field{{Name: "until", Type: vecwire.Time, Expires: true}}})
		var records []vecwire.Record
		for i := range 20 {
			r := vecwire.Record{ID: fmt.Sprintf("%02d", i), Vector: []float32{1, float32(i)}}
			if i < 12 {
				r.Fields = vecwire.Fields{"until": born}
			}
			records = append(records, r)
		}
		require.NoError(t, c.Upsert(t.Context(), records...))
		return c
	}
	c := begin()
	looks, err := looksOf(later, func(ctx context.Context) error {
		n, err := c.DeleteExpired(ctx)
		return s.exactly(12, n, err)
	})
	require.NoError(t, err)
	for _, at := range s.steps(looks) {
		c := begin()
		l := newLooked(later, at)
		first, err := c.DeleteExpired(l)
		l.cancel()
		where := fmt.Sprintf("%d of %d looks: %d, %v", at, looks, first, err)
		if errors.Is(err, vecwire.ErrOutcomeUnknown) {
			continue // it may be committed while it is looked at
		}
		if err != nil {
			require.ErrorIs(t, err, context.Canceled, where)
		}
		rest, again := c.DeleteExpired(later)
		require.NoError(t, again, where)
		if s.caps.AtomicBatches {
			require.Equal(t, 12, first+rest, where)
		}
		if err == nil {
			require.Zero(t, rest, where)
		}
		require.Len(t, collect(t, c, vecwire.Scan{}), 8, where)
	}
}
