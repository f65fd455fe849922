package pgvector

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// foundIndex is what the catalog says about an index.
type foundIndex struct {
	engine.Index
	ours   bool   // made by BuildIndex
	usable bool   // by searches of this collection
	why    string // if not
	key    indexKey
	over   string // see overKey
	// records is how many the table has, as the server estimates; not positive if it does not.
	records int64
}

// catalog reads the vector indexes of the table.
func (c *collection) catalog(ctx context.Context) ([]foundIndex, error) {
	var out []foundIndex
	err := c.read(ctx, func(conn *pgx.Conn) error {
		out = nil
		rows, err := conn.Query(ctx, `
			SELECT i.relname::text, m.amname::text, x.indisvalid AND x.indisready, pg_relation_size(i.oid),
			       coalesce(array_to_string(i.reloptions, ','), ''), o.opcname::text, x.indpred IS NOT NULL,
			       pg_get_indexdef(i.oid, 1, true), t.reltuples::int8
			FROM pg_catalog.pg_index x
			JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
			JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
			JOIN pg_catalog.pg_am m ON m.oid = i.relam
			JOIN pg_catalog.pg_opclass o ON o.oid = x.indclass[0]
			WHERE x.indrelid = $1::text::regclass AND m.amname IN ('hnsw', 'ivfflat')
			ORDER BY i.relname`, c.name)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f foundIndex
			var options, class, definition string
			var partial bool
			if err := rows.Scan(&f.Name, &f.Kind, &f.Valid, &f.Bytes, &options, &class, &partial, &definition, &f.records); err != nil {
				return err
			}
			for option := range strings.SplitSeq(options, ",") {
				key, value, _ := strings.Cut(option, "=")
				switch n, _ := strconv.Atoi(value); key {
				case "m":
					f.M = n
				case "ef_construction":
					f.EfConstruction = n
				}
			}
			if f.Kind == "hnsw" {
				f.M, f.EfConstruction = cmp.Or(f.M, defaultM), cmp.Or(f.EfConstruction, defaultEfC)
			}
			f.ours = f.Name == c.indexName() || f.Name == c.nextIndexName()
			f.over = overKey(definition, class, options)
			f.key, f.usable = c.keyOf(definition, class)
			switch {
			case !f.Valid:
				f.why = "is not valid"
			case partial:
				f.why = "does not hold all records"
			case !f.usable:
				f.why = c.misfit(definition, class)
			}
			f.Compress, f.usable = f.key.compress, f.why == ""
			out = append(out, f)
		}
		return rows.Err()
	})
	return out, err
}

// misfit says why an index is of no use to the collection.
func (t *table) misfit(definition, class string) string {
	names := map[codec.Metric]string{codec.Cosine: "Cosine", codec.Dot: "Dot", codec.L2: "L2"}
	for _, m := range slices.Sorted(maps.Keys(names)) {
		if m == t.schema.Metric || !strings.HasSuffix(class, opClass(m)) {
			continue
		}
		other := table{schema: t.schema, ext: t.ext, vector: t.vector, vectorKind: t.vectorKind}
		other.schema.Metric = m
		if _, fits := other.keyOf(definition, class); fits {
			return fmt.Sprintf("is for the metric %s, and this collection has %s: attach the table with Metric: vecwire.%s, or build another index", m, t.schema.Metric, names[m])
		}
	}
	return "is over something else, " + definition + " by " + class
}

// indexName names the index that BuildIndex makes. No collection's table can
// have such a name.
func (c *collection) indexName() string {
	name := "vecwire_" + c.relation + "_hnsw"
	if len(name) > 59 { // an existing table: names have 63 bytes, and "_new" may follow
		name = "vecwire_" + wire.Fingerprint(c.relation) + "_hnsw"
	}
	return name
}

// nextIndexName names an index that is to replace that one.
func (c *collection) nextIndexName() string { return c.indexName() + "_new" }
