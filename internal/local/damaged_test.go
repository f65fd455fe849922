package local

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// A damaged is a store that is damaged again and again, and what it was before.
type damaged struct {
	path  string
	files map[string][]byte   // what belongs to it, by name
	pages map[string][]int    // pages of the database by what they hold
	whole map[string][]string // what is read of it, by the way
}

// newDamaged makes a store with snapshots, closed, or as a process that is killed leaves it.
func newDamaged(t *testing.T, killed bool) *damaged {
	t.Helper()
	d := &damaged{path: filepath.Join(t.TempDir(), "test.db"), files: map[string][]byte{}, pages: map[string][]int{}}
	s := openStore(t, d.path)
	s.leastSave = 40
	for _, schema := range damageable {
		c := create(t, s, schema)
		var records []engine.Record
		for i := range 120 + 1300*(8/schema.Dim) {
			records = append(records, damageableRecord(schema, i, 1))
		}
		require.NoError(t, c.Upsert(t.Context(), records))
		if schema.Index != engine.NoIndex {
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 6, EfConstruction: 24}))
		}
		saveNow(t, c)
		require.Positive(t, outsiders(c), schema.Name)
		require.NoError(t, c.Upsert(t.Context(), []engine.Record{damageableRecord(schema, 3, 2), damageableRecord(schema, 5000, 2)}))
		_, err := c.Delete(t.Context(), []string{"r7"})
		require.NoError(t, err)
	}
	if killed {
		d.keep(t)
	}
	require.NoError(t, s.Close())
	if !killed {
		d.keep(t)
	}
	s, warned, errs := d.open(t, d.path, Options{})
	require.Empty(t, errs)
	var failed []error
	d.whole, failed = d.look(t.Context(), s)
	require.Empty(t, failed)
	require.Empty(t, warned())
	require.Empty(t, checked(t, s).Problems)
	require.NoError(t, s.Close())
	d.restore(t, nil)
	db, err := sql.Open("sqlite", fileURI(d.path)+"?immutable=1")
	require.NoError(t, err)
	defer db.Close()
	rows, err := db.Query("SELECT name || ' ' || pagetype, pageno FROM dbstat ORDER BY pageno")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var what string
		var page int
		require.NoError(t, rows.Scan(&what, &page))
		d.pages[what] = append(d.pages[what], page)
	}
	require.NoError(t, rows.Err())
	return d
}

// keep notes the files of the store as they are.
func (d *damaged) keep(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(d.path + "*")
	require.NoError(t, err)
	for _, name := range files {
		d.files[name], err = os.ReadFile(name)
		require.NoError(t, err)
	}
}

// restore makes the files what they were, but for some. They stay the same files, so that the
// store is no copy.
func (d *damaged) restore(t *testing.T, but map[string][]byte) {
	t.Helper()
	there, err := filepath.Glob(d.path + "*")
	require.NoError(t, err)
	for _, name := range there {
		if _, ours := d.files[name]; !ours {
			require.NoError(t, os.Remove(name))
		}
	}
	for name, b := range d.files {
		if changed, ok := but[name]; ok {
			b = changed
		}
		require.NoError(t, os.WriteFile(name, b, 0o600))
	}
}

// open opens a store, and returns what its log warns of, too.
func (d *damaged) open(t *testing.T, path string, opts Options) (*store, func() string, error) {
	t.Helper()
	log := &logged{}
	opts.Path, opts.Logger = path, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	e, err := Open(t.Context(), opts)
	if err != nil {
		return nil, nil, err
	}
	return e.(*store), func() string {
		log.mu.Lock()
		defer log.mu.Unlock()
		return log.String()
	}, nil
}

// look reads all in many ways.
func (d *damaged) look(ctx context.Context, s *store) (seen map[string][]string, failed []error) {
	seen = map[string][]string{}
	for _, schema := range damageable {
		c, err := s.Open(ctx, schema.Name)
		if err != nil {
			failed = append(failed, err)
			continue
		}
		see := func(way string, err error, lines []string) {
			way = schema.Name + " " + way
			if err != nil {
				failed = append(failed, fmt.Errorf("%s: %w", way, err))
				return
			}
			slices.Sort(lines)
			seen[way] = lines
		}
		q := damageableRecord(schema, 77, 7).Vector
		vectors := map[string]engine.Vector{}
		records, err := c.Scan(ctx, engine.Scan{Limit: 1 << 20, Vectors: true})
		var lines []string
		for _, r := range records {
			vectors[r.ID] = r.Vector
			r.Text = wordsOf(r.Text)
			lines = append(lines, fmt.Sprint(r))
		}
		see("scan", err, lines)
		exactly := map[string]float64{}
		exact, err := c.Search(ctx, []engine.Search{{Vector: q, K: 1 << 20, Exact: true}})
		lines = nil
		for _, r := range exact {
			for _, h := range r.Hits {
				lines = append(lines, fmt.Sprintf("%s %.6f", h.ID, h.Score))
				exactly[h.ID] = h.Score
			}
		}
		see("exact", err, lines)
		found, err := c.Search(ctx, []engine.Search{{Vector: q, K: 20, Effort: 30, Payload: true, Vectors: true}})
		lines = nil
		for _, r := range found {
			for _, h := range r.Hits {
				if x, ok := exactly[h.ID]; !ok || x != h.Score || !vectors[h.ID].Equal(h.Vector) {
					lines = append(lines, fmt.Sprint("other than exact: ", h.ID, " ", h.Score))
				}
			}
		}
		see("graph", err, lines)
		for _, n := range []int64{3, 8} {
			passing, err := c.Search(ctx, []engine.Search{{Vector: q, K: 1 << 20, Filter: filter.Eq("n", n)}})
			lines = nil
			for _, r := range passing {
				for _, h := range r.Hits {
					lines = append(lines, h.ID)
				}
			}
			see(fmt.Sprint("filter ", n), err, lines)
		}
		if schema.FullText == engine.NoFullText {
			continue
		}
		texts, err := c.SearchText(ctx, []engine.TextSearch{{Text: "record", K: 1 << 20, Payload: true}})
		lines = nil
		for _, hits := range texts {
			for _, h := range hits {
				lines = append(lines, fmt.Sprint(h.ID, wordsOf(h.Text)))
			}
		}
		see("words", err, lines)
	}
	return seen, failed
}

// wordsOf returns what of a text full text has, and Check can compare.
func wordsOf(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.Join(words, " ")
}

// different returns a way in which what was read differs from what was there.
func (d *damaged) different(seen map[string][]string) string {
	for _, way := range slices.Sorted(maps.Keys(seen)) {
		want := d.whole[way]
		if slices.Equal(want, seen[way]) {
			continue
		}
		for i := range max(len(want), len(seen[way])) {
			a, b := "nothing", "nothing"
			if i < len(want) {
				a = want[i]
			}
			if i < len(seen[way]) {
				b = seen[way][i]
			}
			if a != b {
				return fmt.Sprintf("%s: %.200s, want %.200s", way, b, a)
			}
		}
	}
	return ""
}
