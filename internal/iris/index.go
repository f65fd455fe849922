package iris

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// buildTimeout bounds the building of an index whose caller has set no deadline.
const buildTimeout = 6 * time.Hour

// builtIndex is the index over a collection's vectors as the registry keeps it,
// because the server hides the catalog. Settings that IRIS did not take are 0.
type builtIndex struct {
	Name           string `json:"name"`
	M              int    `json:"m,omitempty"`
	EfConstruction int    `json:"ef,omitempty"`
	Wanted         [2]int `json:"wanted"` // the settings that were asked for
}

// The settings of HNSW where the caller leaves them open (InterSystems, "Using
// Vector Search", CREATE INDEX … AS HNSW).
const (
	defaultM  = 16
	defaultEf = 64
)

// InterSystems states no limits. These keep out what can only be a mistake, which
// the ladder would otherwise answer with an index of other settings.
const (
	maxM  = 1000
	maxEf = 10_000
)

func inRange(m, ef int) error {
	bad := func(field, want string, got int) error {
		return &codec.ValueError{Field: field, Pos: -1, Want: want, Got: strconv.Itoa(got)}
	}
	switch {
	case m < 2 || m > maxM:
		return bad("M", fmt.Sprintf("2 to %d", maxM), m)
	case ef > maxEf:
		return bad("EfConstruction", fmt.Sprintf("%d at most", maxEf), ef)
	case ef < 2*m:
		return bad("EfConstruction", fmt.Sprintf("at least twice M, %d", 2*m), ef)
	}
	return nil
}

// ladder returns the statements that make the index, the first that the engine
// takes is the index. Releases of IRIS differ in which settings they know.
func (t *table) ladder(m, ef int) []rung {
	distance := "Cosine"
	if t.schema.Metric == codec.Dot {
		distance = "DotProduct"
	}
	name := t.name + "_hnsw"
	create := "CREATE INDEX " + name + " ON " + t.name + " (" + t.vector + ") AS HNSW"
	wanted := [2]int{m, ef}
	rungs := []rung{
		{fmt.Sprintf("%s(Distance='%s', M=%d, efConstruction=%d)", create, distance, m, ef), builtIndex{name, m, ef, wanted}},
		{fmt.Sprintf("%s(Distance='%s')", create, distance), builtIndex{Name: name, Wanted: wanted}},
	}
	if t.schema.Metric == codec.Cosine { // the default
		rungs = append(rungs, rung{create, builtIndex{Name: name, Wanted: wanted}})
	}
	return rungs
}

type rung struct {
	sql   string
	index builtIndex
}

// BuildIndex implements engine.Collection.
func (c *collection) BuildIndex(ctx context.Context, p engine.IndexPlan) error {
	if err := c.registeredOnly(ctx); err != nil {
		return err
	}
	m, ef := p.M, p.EfConstruction
	if m == 0 {
		m = defaultM
	}
	if ef == 0 {
		ef = max(defaultEf, 2*m)
	}
	if err := inRange(m, ef); err != nil {
		return err
	}
	report := func(done int64) {
		if p.Progress != nil {
			p.Progress(engine.IndexProgress{Phase: "building", Done: done, Total: 1})
		}
	}
	report(0)
	err := c.write(ctx, func(ctx context.Context, conn *session) error {
		long := *conn
		long.timeout = buildTimeout
		there, err := c.index(ctx, conn)
		if err != nil {
			return err
		}
		if there != nil && there.Wanted == [2]int{m, ef} {
			return nil
		}
		var refusal error
		for _, rung := range c.ladder(m, ef) {
			err := long.run(ctx, rung.sql)
			if isSQLCode(err, -324) { // with other settings, or what an interrupted call left
				if err = c.dropIndex(ctx, conn, rung.index.Name); err == nil {
					err = long.run(ctx, rung.sql)
				}
			}
			if err == nil {
				if refusal != nil {
					c.db.Log.WarnContext(ctx, "IRIS took the index with fewer settings than were asked for", "collection", c.schema.Name, "err", refusal)
				}
				return c.remember(ctx, conn, &rung.index)
			}
			if sqlcode(err) == 0 || isSQLCode(err, -30) {
				return err
			}
			refusal = err
		}
		return fmt.Errorf("%w: an HNSW index by this release of IRIS: %w", engine.ErrUnsupported, refusal)
	})
	if err == nil {
		c.state.indexed.Store(true)
		report(1)
	}
	return err
}

func (c *collection) registeredOnly(ctx context.Context) error {
	if _, ok := c.runner(ctx).(*tx); ok {
		return fmt.Errorf("%w: indexes in a transaction by the iris engine", engine.ErrUnsupported)
	}
	if c.own {
		return nil
	}
	return fmt.Errorf("%w: indexes over existing tables by the iris engine", engine.ErrUnsupported)
}

// index reads what the registry says about the index.
func (c *collection) index(ctx context.Context, conn *session) (*builtIndex, error) {
	entry, err := conn.registered(ctx, strings.ToLower(c.schema.Name))
	if err == nil && (entry == nil || entry.table != c.name) {
		err = engine.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return entry.index, nil
}

// remember writes to the registry which index there is, nil for none.
func (c *collection) remember(ctx context.Context, conn *session, index *builtIndex) error {
	var text []byte
	if index != nil {
		entry, err := json.Marshal(index)
		if err != nil {
			return err
		}
		text = guard(string(entry))
	}
	return conn.write(ctx, "UPDATE "+registry+" SET vec_index = SUBSTRING($1,2) WHERE name = SUBSTRING($2,2) AND table_name = SUBSTRING($3,2)",
		text, guard(strings.ToLower(c.schema.Name)), guard(c.name))
}

func (c *collection) dropIndex(ctx context.Context, conn *session, name string) error {
	if err := conn.run(ctx, "DROP INDEX "+name+" ON "+c.name); err != nil && !isSQLCode(err, -333) {
		return err
	}
	return c.remember(ctx, conn, nil)
}

// Indexes implements engine.Collection.
func (c *collection) Indexes(ctx context.Context) ([]engine.Index, error) {
	if err := c.registeredOnly(ctx); err != nil {
		return nil, err
	}
	var out []engine.Index
	err := c.read(ctx, func(ctx context.Context, conn *session) error {
		out = nil
		index, err := c.index(ctx, conn)
		if index != nil {
			out = append(out, engine.Index{Name: index.Name, Kind: "hnsw", M: index.M, EfConstruction: index.EfConstruction, Valid: true})
		}
		return err
	})
	return out, err
}

// DropIndex implements engine.Collection.
func (c *collection) DropIndex(ctx context.Context, name string) error {
	if err := c.registeredOnly(ctx); err != nil {
		return err
	}
	found := false
	return c.write(ctx, func(ctx context.Context, conn *session) error {
		index, err := c.index(ctx, conn)
		if err != nil {
			return err
		}
		if index == nil || index.Name != name {
			if found {
				return nil // the try before this one got as far
			}
			return fmt.Errorf("%w: the index %q", engine.ErrNotFound, name)
		}
		found = true
		if err := c.dropIndex(ctx, conn, index.Name); err != nil {
			return err
		}
		c.state.indexed.Store(false)
		return nil
	})
}
