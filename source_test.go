package vecwire_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/filter"
)

// meddler embeds a text as its length, and calls a function whenever it does.
type meddler struct {
	lengths
	meddle func() error
}

func (m meddler) Embed(ctx context.Context, texts []string, use embed.Use) ([][]float32, error) {
	if err := m.meddle(); err != nil {
		return nil, err
	}
	return m.lengths.Embed(ctx, texts, use)
}

// TestReplaceSourceOvertaken has another writer change records of the source after
// ReplaceSource has compared them: the source has exactly the given records.
func TestReplaceSourceOvertaken(t *testing.T) {
	ctx := t.Context()
	part := func(id, text, source string) vecwire.Record {
		return vecwire.Record{ID: id, Text: text, Fields: vecwire.Fields{vecwire.SourceField: source}}
	}
	for name, meddle := range map[string]func(*vecwire.Collection) error{
		"deletes a record": func(c *vecwire.Collection) error {
			_, err := c.Delete(ctx, "same")
			return err
		},
		"changes a text":          func(c *vecwire.Collection) error { return c.Upsert(ctx, part("same", "other", "a")) },
		"moves a record":          func(c *vecwire.Collection) error { return c.Upsert(ctx, part("same", "x", "b")) },
		"adds a record":           func(c *vecwire.Collection) error { return c.Upsert(ctx, part("more", "x", "a")) },
		"stores what is replaced": func(c *vecwire.Collection) error { return c.Upsert(ctx, part("new", "zzz", "a")) },
		"empties the collection": func(c *vecwire.Collection) error {
			_, err := c.DeleteWhere(ctx, filter.Filter{})
			return err
		},
	} {
		for _, always := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				db, err := vecwire.Open(ctx, "mem:")
				require.NoError(t, err)
				defer db.Close()
				bare, err := db.CreateCollection(ctx, vecwire.Schema{
					Name: "docs", Dim: 2, Model: "lengths", Fields: []vecwire.Field{{Name: vecwire.SourceField, Index: true}},
				})
				require.NoError(t, err)
				other, err := bare.WithEmbedder(lengths{new(int)})
				require.NoError(t, err)
				require.NoError(t, other.Upsert(ctx, part("same", "x", "a"), part("gone", "x", "a")))
				calls := 0
				c, err := bare.WithEmbedder(meddler{lengths{new(int)}, func() error {
					if calls++; calls > 1 && !always {
						return nil
					}
					return meddle(other)
				}})
				require.NoError(t, err)
				report, err := c.ReplaceSource(ctx, "a", vecwire.Record{ID: "same", Text: "x"}, vecwire.Record{ID: "new", Text: "y"})
				if err != nil {
					require.True(t, always, "%v", err)
					require.ErrorContains(t, err, "another writer")
					require.LessOrEqual(t, calls, 20)
					return
				}
				is := map[string]string{}
				for r, err := range bare.All(ctx, vecwire.Scan{Filter: filter.Eq(vecwire.SourceField, "a")}) {
					require.NoError(t, err)
					is[r.ID] = r.Text
				}
				require.Equal(t, map[string]string{"same": "x", "new": "y"}, is)
				require.EqualValues(t, 2, report.Done())
			})
		}
	}
}
