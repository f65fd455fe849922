package pgvector

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// catalogColumn is what the catalog says about a column.
type catalogColumn struct {
	name      string
	typ       string // of pg_type
	dim       int    // of vector(n); 0 where the type does not say
	notNull   bool
	byBytes   bool // its collation is "C" or "POSIX"
	unique    bool // a unique index is over this column alone
	primary   bool
	generated bool
	extension bool // its type is pgvector's
}

// catalogTypes are the types that a field can have in an existing table. Times
// without a zone are not among them: what they mean depends on the session.
var catalogTypes = map[string]filter.Type{
	"text": filter.String, "varchar": filter.String,
	"int2": filter.Int, "int4": filter.Int, "int8": filter.Int,
	"float4": filter.Float, "float8": filter.Float,
	"bool": filter.Bool, "timestamptz": filter.Time, "bytea": filter.Bytes,
	"_text": filter.Strings, "_varchar": filter.Strings, "_int2": filter.Ints, "_int4": filter.Ints, "_int8": filter.Ints,
	"_float4": filter.Floats, "_float8": filter.Floats,
	"jsonb": filter.JSON, "json": filter.JSON,
}

// ownColumns are lists and JSON in the types that our own tables have: filters need
// not cast them, and an index over them can be used.
var ownColumns = map[string]bool{"_text": true, "_int8": true, "_float8": true, "jsonb": true}

var keyTypes = map[string]idKind{
	"text": idText, "varchar": idText, "int2": idInt, "int4": idInt, "int8": idInt, "uuid": idUUID,
}

// Attach implements engine.Engine.
func (e *database) Attach(ctx context.Context, a engine.Attach) (engine.Collection, error) {
	if e.extension().vector == 0 {
		if err := e.lookUp(ctx, e.Read); err != nil {
			return nil, err
		}
		if e.extension().vector == 0 {
			return nil, fmt.Errorf("%w: the extension vector is not in this database", engine.ErrNotFound)
		}
	}
	found, err := e.catalogOf(ctx, a.Table)
	if err != nil {
		return nil, err
	}
	x, columns := e.extension(), found.columns
	t := &table{
		schema: a.Schema, ext: quote(x.schema), name: quote(found.namespace) + "." + quote(found.relation),
		namespace: found.namespace, relation: found.relation, view: found.view,
	}
	t.schema.Name = found.relation
	id, err := pick(columns, "key", a.IDColumn, func(c catalogColumn) bool { _, ok := keyTypes[c.typ]; return ok && c.primary })
	if err != nil {
		return nil, err
	}
	kind, ok := keyTypes[id.typ]
	if !ok || !id.unique && !t.view { // a view has no indexes: the caller knows
		return nil, fmt.Errorf("the key %q must be text, integer or uuid with a unique index over it alone, and is %s", id.name, id.typ)
	}
	t.id, t.idKind, t.idSorts = quote(id.name), kind, id.byBytes && id.typ == "text"

	isVector := func(c catalogColumn) bool { return c.extension && (c.typ == "vector" || c.typ == "halfvec") }
	vector, err := pick(columns, "vector", a.VectorColumn, isVector)
	if err != nil {
		return nil, err
	}
	if !isVector(vector) {
		return nil, fmt.Errorf("the column %q is %s, want vector or halfvec", vector.name, vector.typ)
	}
	if a.Schema.Element != codec.FLOAT {
		return nil, &codec.ElementError{Want: codec.FLOAT, Got: a.Schema.Element}
	}
	t.vector, t.nullable = quote(vector.name), !vector.notNull
	if vector.typ == "halfvec" {
		t.vectorKind = asHalf
	}
	if err := t.setDim(vector); err != nil {
		return nil, err
	}
	if a.TextColumn != "" {
		text, err := pick(columns, "text", a.TextColumn, nil)
		if err != nil {
			return nil, err
		}
		if catalogTypes[text.typ] != filter.String || text.typ != "text" && text.typ != "varchar" {
			return nil, fmt.Errorf("the column %q is %s, want text", text.name, text.typ)
		}
		t.text = quote(text.name)
	}
	taken := []string{id.name, vector.name, a.TextColumn}
	if err := t.setFields(columns, taken); err != nil {
		return nil, err
	}
	if out := t.leftOut(columns, taken); a.Schema.Fields == nil && out != nil {
		e.Log.InfoContext(ctx, "columns of an attached table are no fields", "table", a.Table, "columns", out)
	}
	if err := e.place(ctx, t); err != nil {
		return nil, err
	}
	t.schema.Attached = t.attachment()
	return e.open(t, e.state(t.schema.Attached)), nil
}

// attachment names what collections over the same table share: those that compare
// the same vectors in the same way search the same index.
func (t *table) attachment() string {
	return fmt.Sprintf("%s/%s/%d/%d/%d", t.name, t.vector, t.vectorKind, t.schema.Metric, t.schema.Dim)
}

// leftOut says which columns are not fields, and why.
func (t *table) leftOut(columns []catalogColumn, taken []string) (out []string) {
	for _, c := range columns {
		why := ""
		switch _, known := catalogTypes[c.typ]; {
		case slices.Contains(taken, c.name):
			continue
		case !known:
			why = "no field has the type " + c.typ
		case c.generated:
			why = "it is generated"
		case !wire.IsFieldName(c.name):
			why = "no field can have the name"
		default:
			continue
		}
		out = append(out, c.name+": "+why)
	}
	return out
}

// setDim takes the number of dimensions from the column, or from the caller
// where the column's type leaves it open.
func (t *table) setDim(vector catalogColumn) error {
	switch {
	case vector.dim == 0 && t.schema.Dim == 0:
		return fmt.Errorf("the column %q does not say how many dimensions its vectors have: state Dim", vector.name)
	case vector.dim != 0 && t.schema.Dim != 0 && vector.dim != t.schema.Dim:
		return &codec.DimensionError{Want: vector.dim, Got: t.schema.Dim}
	}
	t.schema.Dim = max(vector.dim, t.schema.Dim)
	return nil
}

// setFields finds the columns of the fields that the caller names, or takes all
// columns that can be fields.
func (t *table) setFields(columns []catalogColumn, taken []string) error {
	if t.schema.Fields == nil {
		for _, c := range columns {
			typ, ok := catalogTypes[c.typ]
			if ok && !c.generated && !slices.Contains(taken, c.name) && wire.IsFieldName(c.name) {
				t.schema.Fields = append(t.schema.Fields, engine.Field{Name: c.name, Type: typ})
			}
		}
	}
	for _, f := range t.schema.Fields {
		c, err := pick(columns, "field", f.Name, nil)
		if err != nil {
			return err
		}
		if typ, ok := catalogTypes[c.typ]; !ok || typ != f.Type {
			return fmt.Errorf("the column %q is %s, which is no %s: leave it out, or attach a view that casts it", c.name, c.typ, f.Type)
		}
		t.fields = append(t.fields, quote(c.name))
		t.sorts = append(t.sorts, c.byBytes && c.typ == "text" || ownColumns[c.typ])
	}
	return nil
}

// pick returns the column of a name or, where there is no name, the only one
// that fits.
func pick(columns []catalogColumn, what, name string, fits func(catalogColumn) bool) (catalogColumn, error) {
	var found []catalogColumn
	var names []string
	for _, c := range columns {
		names = append(names, c.name)
		if name != "" && c.name == name || name == "" && fits(c) {
			found = append(found, c)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case name != "":
		return catalogColumn{}, fmt.Errorf("%w: the column %q, among %q", engine.ErrNotFound, name, names)
	}
	return catalogColumn{}, fmt.Errorf("%d columns could be the %s, among %q: name it", len(found), what, names)
}

// relationNames returns what a table's name can mean, as schema and table, the
// likelier first: "a.b" is the table b of the schema a, or the table "a.b"; a part
// with dots can be told apart by quotes, as SQL has them.
func relationNames(name string) []pgx.Identifier {
	if parts := quotedNames(name); parts != nil {
		return []pgx.Identifier{parts, {name}}
	}
	var out []pgx.Identifier
	for i, r := range name {
		if r == '.' && i > 0 && i < len(name)-1 {
			out = append(out, pgx.Identifier{name[:i], name[i+1:]})
		}
	}
	return append(out, pgx.Identifier{name})
}

var quotedNameRE = regexp.MustCompile(`^(?:("(?:[^"]|"")+"|[^".]+)\.)?("(?:[^"]|"")+"|[^".]+)$`)

// quotedNames takes a name with quoted parts apart, nil if it has none.
func quotedNames(name string) (parts pgx.Identifier) {
	found := quotedNameRE.FindStringSubmatch(name)
	if found == nil || !strings.Contains(name, `"`) {
		return nil
	}
	for _, part := range found[1:] {
		if inner, ok := strings.CutPrefix(part, `"`); ok {
			part = strings.ReplaceAll(strings.TrimSuffix(inner, `"`), `""`, `"`)
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	return parts
}

// foundRelation is what the catalog says about a table or view.
type foundRelation struct {
	namespace, relation string
	view                bool
	columns             []catalogColumn
}

// catalogOf reads the columns of a table or view, whose name may be qualified.
func (e *database) catalogOf(ctx context.Context, name string) (found foundRelation, err error) {
	var names []string
	for _, n := range relationNames(name) {
		names = append(names, n.Sanitize())
	}
	err = e.Read(ctx, func(conn *pgx.Conn) error {
		found = foundRelation{}
		var oid uint32
		err := conn.QueryRow(ctx, `SELECT c.oid, n.nspname::text, c.relname::text, c.relkind = 'v'
			FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
			JOIN pg_catalog.pg_class c ON c.oid = to_regclass(wanted.name)
			JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') ORDER BY place LIMIT 1`, names).Scan(&oid, &found.namespace, &found.relation, &found.view)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("%w: the table %q", engine.ErrNotFound, name)
		}
		if err != nil {
			return err
		}
		// A domain counts as the type that it is over, which is how the server sends it.
		rows, err := conn.Query(ctx, `
			SELECT a.attname::text, coalesce(b.typname, t.typname)::text, greatest(a.atttypmod, 0), a.attnotnull,
			       coalesce(l.collname IN ('C', 'POSIX'), false),
			       coalesce(bool_or(x.indisunique), false), coalesce(bool_or(x.indisprimary), false), a.attgenerated <> '' OR a.attidentity = 'a',
			       t.typnamespace = (SELECT extnamespace FROM pg_catalog.pg_extension WHERE extname = 'vector')
			FROM pg_catalog.pg_attribute a
			JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
			LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
			LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
			LEFT JOIN pg_catalog.pg_index x ON x.indrelid = a.attrelid AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum
			      AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
			WHERE a.attrelid = $1::int8::oid AND a.attnum > 0 AND NOT a.attisdropped
			GROUP BY a.attnum, a.attname, t.typname, b.typname, a.atttypmod, a.attnotnull, l.collname, a.attgenerated, a.attidentity, t.typnamespace
			ORDER BY a.attnum`, int64(oid))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var c catalogColumn
			if err := rows.Scan(&c.name, &c.typ, &c.dim, &c.notNull, &c.byBytes, &c.unique, &c.primary, &c.generated, &c.extension); err != nil {
				return err
			}
			found.columns = append(found.columns, c)
		}
		return rows.Err()
	})
	return found, err
}
