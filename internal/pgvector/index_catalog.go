package pgvector

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// foundIndex is what the catalog says about an index.
type foundIndex struct {
	engine.Index
	ours    bool   // made by BuildIndex
	slot    string // of ours
	usable  bool   // by searches of this collection
	why     string // if not
	key     indexKey
	over    string // see overKey
	lists   []int  // see listsOf
	records int64  // of the table, as the server estimates; not positive if it does not
}

// catalog reads the vector indexes of the table.
func (c *collection) catalog(ctx context.Context) ([]foundIndex, error) {
	var out []foundIndex
	err := c.read(ctx, func(conn *pgx.Conn) error {
		out = nil
		rows, err := conn.Query(ctx, `
			SELECT i.relname::text, m.amname::text, x.indisvalid AND x.indisready, pg_relation_size(i.oid),
			       coalesce(array_to_string(i.reloptions, ','), ''), o.opcname::text, coalesce(pg_get_expr(x.indpred, x.indrelid), ''),
			       pg_get_indexdef(i.oid, 1, true), coalesce(obj_description(i.oid, 'pg_class'), ''), t.reltuples::int8
			FROM pg_catalog.pg_index x
			JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
			JOIN pg_catalog.pg_class t ON t.oid = x.indrelid
			JOIN pg_catalog.pg_am m ON m.oid = i.relam
			JOIN pg_catalog.pg_opclass o ON o.oid = x.indclass[0]
			WHERE x.indrelid = $1::text::regclass AND m.amname IN (`+kindsList+`)
			ORDER BY i.relname`, c.name)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f foundIndex
			var options, class, comment string
			var size *int64
			var definition *string
			err := rows.Scan(&f.Name, &f.Kind, &f.Valid, &size, &options, &class, &f.Predicate, &definition, &comment, &f.records)
			if err != nil {
				return err
			}
			if size == nil || definition == nil { // it is being dropped
				continue
			}
			f.Bytes = *size
			f.options(options)
			f.over = overKey(*definition, class, options, f.Predicate)
			f.key, f.usable = c.keyOf(*definition, class)
			f.Dims = cmp.Or(f.Dims, f.key.dims)
			f.slot, f.ours = c.slotOf(f.Name, f.Kind)
			if f.ours && f.slot != "" {
				f.Where = c.whereOf(f.slot, comment)
			}
			switch {
			case !f.Valid:
				f.why = "is not valid"
			case f.Predicate != "" && f.Where.IsZero():
				f.why = "does not hold all records"
			case !f.usable:
				f.why = c.misfit(*definition, class)
			case f.key.dims > 0 && f.Kind != hnsw && f.Kind != ivfflat: // see keyFor
				f.why = "is of the method " + f.Kind + " and over some dimensions"
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

// indexName names the index of a kind that BuildIndex makes in a slot. No collection's
// table can have such a name.
func (c *collection) indexName(kind, slot string) string {
	suffix := "_" + kind
	if slot != "" {
		suffix += "_" + slot
	}
	name := "vecwire_" + c.relation + suffix
	if len(name)+len(next) > 63 { // an existing table: names have 63 bytes
		name = "vecwire_" + wire.Fingerprint(c.relation) + suffix
	}
	return name
}

// next ends the name of an index that is to replace another one.
const next = "_new"
