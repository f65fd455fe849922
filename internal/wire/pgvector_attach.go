package wire

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
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

// catalogTypes are the types that a field can have in a table of others. Times
// without a zone are not among them: what they mean depends on the session.
var catalogTypes = map[string]filter.Type{
	"text": filter.String, "varchar": filter.String,
	"int2": filter.Int, "int4": filter.Int, "int8": filter.Int,
	"float4": filter.Float, "float8": filter.Float,
	"bool": filter.Bool, "timestamptz": filter.Time, "bytea": filter.Bytes,
}

var keyTypes = map[string]idKind{
	"text": idText, "varchar": idText, "int2": idInt, "int4": idInt, "int8": idInt, "uuid": idUUID,
}

// Attach implements engine.Attacher.
func (e *postgres) Attach(ctx context.Context, a engine.Attach) (engine.Collection, error) {
	if e.extension().vector == 0 {
		if err := e.lookUp(ctx); err != nil {
			return nil, err
		}
		if e.extension().vector == 0 {
			return nil, fmt.Errorf("%w: the extension vector is not in this database", engine.ErrNotFound)
		}
	}
	namespace, relation, columns, err := e.catalogOf(ctx, a.Table)
	if err != nil {
		return nil, err
	}
	x := e.extension()
	t := &table{
		schema: a.Schema, ext: quote(x.schema), name: quote(namespace) + "." + quote(relation),
		namespace: namespace, relation: relation,
	}
	if t.schema.Name == "" {
		t.schema.Name = relation
	}
	id, err := pick(columns, "key", a.IDColumn, func(c catalogColumn) bool { _, ok := keyTypes[c.typ]; return ok && c.primary })
	if err != nil {
		return nil, err
	}
	kind, ok := keyTypes[id.typ]
	if !ok || !id.unique {
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
	return e.open(t, e.state(t.name+"/"+fingerprint(fmt.Sprint(*t)))), nil
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
			if ok && !c.generated && !slices.Contains(taken, c.name) && isFieldName(c.name) {
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
			return fmt.Errorf("the column %q is %s, which is no %s", c.name, c.typ, f.Type)
		}
		t.fields = append(t.fields, quote(c.name))
		t.sorts = append(t.sorts, c.byBytes && c.typ == "text")
	}
	return nil
}

// isFieldName reports whether a column's name can be a field's.
func isFieldName(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	folded := strings.ToLower(name)
	return name != "" && len(name) <= 48 && folded != "id" && folded != "text" && folded != "vector"
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

// catalogOf reads the columns of a table, whose name may be qualified.
func (e *postgres) catalogOf(ctx context.Context, name string) (namespace, relation string, columns []catalogColumn, err error) {
	parts := strings.Split(name, ".")
	if len(parts) > 2 || slices.Contains(parts, "") {
		return "", "", nil, fmt.Errorf("%w: %q is not the name of a table, or of a schema and a table", engine.ErrNotFound, name)
	}
	err = e.read(ctx, func(conn *pgx.Conn) error {
		columns = nil
		var oid uint32
		err := conn.QueryRow(ctx, `SELECT c.oid, n.nspname::text, c.relname::text
			FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			WHERE c.oid = to_regclass($1::text) AND c.relkind IN ('r', 'p', 'f')`, pgx.Identifier(parts).Sanitize()).Scan(&oid, &namespace, &relation)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("%w: the table %q", engine.ErrNotFound, name)
		}
		if err != nil {
			return err
		}
		rows, err := conn.Query(ctx, `
			SELECT a.attname::text, t.typname::text, greatest(a.atttypmod, 0), a.attnotnull,
			       coalesce(l.collname IN ('C', 'POSIX'), false),
			       coalesce(bool_or(x.indisunique), false), coalesce(bool_or(x.indisprimary), false), a.attgenerated <> '' OR a.attidentity = 'a',
			       t.typnamespace = (SELECT extnamespace FROM pg_catalog.pg_extension WHERE extname = 'vector')
			FROM pg_catalog.pg_attribute a
			JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
			LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
			LEFT JOIN pg_catalog.pg_index x ON x.indrelid = a.attrelid AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum
			      AND x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL
			WHERE a.attrelid = $1::int8::oid AND a.attnum > 0 AND NOT a.attisdropped
			GROUP BY a.attnum, a.attname, t.typname, a.atttypmod, a.attnotnull, l.collname, a.attgenerated, a.attidentity, t.typnamespace
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
			columns = append(columns, c)
		}
		return rows.Err()
	})
	return namespace, relation, columns, err
}
