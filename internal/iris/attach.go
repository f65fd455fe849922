package iris

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// catalogColumn is what the catalog says about a column. Most servers keep the
// catalog to themselves, and then there is nothing.
type catalogColumn struct {
	name, typ string
	sized     bool // of a limited length, which a vector's column has not
}

// catalogTypes are the types that a field can have in an existing table.
var catalogTypes = map[string]filter.Type{
	"varchar": filter.String, "integer": filter.Int, "bigint": filter.Int, "smallint": filter.Int, "tinyint": filter.Int,
	"double": filter.Float, "bit": filter.Bool,
}

// plainNameRE is a name that can be used without quotes. Quoted names change
// their case on their way.
var plainNameRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,127}$`)

// Attach implements engine.Engine. What the catalog does not say is what the
// caller states, and proved by asking the table.
func (e *database) Attach(ctx context.Context, a engine.Attach) (engine.Collection, error) {
	parts := strings.Split(a.Table, ".")
	names := append(slices.Clone(parts), a.IDColumn, a.VectorColumn, a.TextColumn)
	for _, f := range a.Schema.Fields {
		names = append(names, f.Name)
		if f.Type >= filter.Time {
			return nil, fmt.Errorf("%w: the %s field %q in an existing table by the iris engine", engine.ErrUnsupported, f.Type, f.Name)
		}
	}
	for i, name := range names {
		if (name != "" || i < len(parts)) && !plainNameRE.MatchString(name) {
			return nil, fmt.Errorf("%w: the name %q, which would need quotes", engine.ErrNotFound, name)
		}
		for _, word := range answers {
			if strings.Contains(strings.ToLower(name), word) {
				return nil, fmt.Errorf("%w: the name %q: statements with %q are answered by iris-pgwire itself", engine.ErrUnsupported, name, word)
			}
		}
	}
	if len(parts) > 2 {
		return nil, fmt.Errorf("%w: %q is not the name of a table, or of a schema and a table", engine.ErrNotFound, a.Table)
	}
	t := &table{schema: a.Schema, name: a.Table, id: a.IDColumn, vector: a.VectorColumn, text: a.TextColumn}
	if t.schema.Name == "" {
		t.schema.Name = parts[len(parts)-1]
	}
	err := e.read(ctx, func(ctx context.Context, c *session) error {
		columns, err := c.catalog(ctx, parts[len(parts)-1])
		if err != nil {
			return err
		}
		if err := t.complete(columns); err != nil {
			return err
		}
		if err := t.askColumns(ctx, c, columns); err != nil {
			return err
		}
		return t.askVector(ctx, c)
	})
	if err != nil {
		return nil, err
	}
	t.schema.Attached = strings.ToLower(fmt.Sprintf("%s/%s/%d", t.name, t.vector, t.schema.Metric)) // names do not differ in case
	return e.open(t, e.state(t.name+"/"+wire.Fingerprint(fmt.Sprint(*t)))), nil
}

// catalog reads a table's columns; none where the server does not show them.
func (c *session) catalog(ctx context.Context, table string) ([]catalogColumn, error) {
	var out []catalogColumn
	err := c.query(ctx, "SELECT COLUMN_NAME, DATA_TYPE, CHARACTER_MAXIMUM_LENGTH FROM INFORMATION_SCHEMA.COLUMNS "+
		"WHERE UPPER(TABLE_NAME) = UPPER(SUBSTRING($1,2)) ORDER BY ORDINAL_POSITION", 3, [][]byte{guard(table)}, func(row [][]byte) error {
		out = append(out, catalogColumn{string(row[0]), strings.ToLower(string(row[1])), row[2] != nil})
		return nil
	})
	if sqlcode(err) != 0 {
		return nil, nil
	}
	return out, err
}

// complete fills in what the caller has left to the catalog.
func (t *table) complete(columns []catalogColumn) error {
	if t.id == "" {
		t.id = "id"
	}
	vectors := []string{}
	for _, c := range columns {
		if c.typ == "vector" || c.typ == "varchar" && !c.sized {
			vectors = append(vectors, c.name)
		}
	}
	if t.vector == "" {
		if len(vectors) != 1 {
			return fmt.Errorf("%d columns could be the vector, by what the server shows of the catalog: name it", len(vectors))
		}
		t.vector = vectors[0]
	}
	if t.schema.Fields == nil {
		for _, c := range columns {
			typ, known := catalogTypes[c.typ]
			taken := strings.EqualFold(c.name, t.id) || strings.EqualFold(c.name, t.vector) || strings.EqualFold(c.name, t.text)
			if known && !taken && (typ != filter.String || c.sized) && wire.IsFieldName(c.name) {
				t.schema.Fields = append(t.schema.Fields, engine.Field{Name: c.name, Type: typ})
			}
		}
	}
	for _, f := range t.schema.Fields {
		t.fields = append(t.fields, f.Name)
	}
	return nil
}

// askColumns sees that the table and its columns exist, and whether the key is
// an integer, which the catalog says or the server, of a result.
func (t *table) askColumns(ctx context.Context, c *session, columns []catalogColumn) error {
	ctx, cancel := c.deadline(ctx)
	defer cancel()
	sql := "SELECT TOP 1 " + strings.Join(append([]string{t.id}, t.columns()[1:]...), ", ") + " FROM " + t.name
	rows, err := c.conn.Query(ctx, sql, pgx.QueryExecModeExec)
	if err != nil {
		return err
	}
	defer rows.Close()
	rows.Next()
	if shown := rows.FieldDescriptions(); len(shown) == len(t.columns()) {
		switch shown[0].DataTypeOID {
		case pgtype.Int2OID, pgtype.Int4OID, pgtype.Int8OID:
			t.idInt = true
		}
	}
	rows.Close()
	for _, c := range columns {
		if strings.EqualFold(c.name, t.id) {
			t.idInt = catalogTypes[c.typ] == filter.Int
		}
	}
	if err := rows.Err(); isSQLCode(err, -29) {
		return fmt.Errorf("%w: a column of the table %s: %w", engine.ErrNotFound, t.name, err)
	}
	return rows.Err()
}

// askVector compares a vector of the table with one of the stated element type
// and dimension. A table without vectors proves nothing.
func (t *table) askVector(ctx context.Context, c *session) error {
	var sample []float64
	err := c.query(ctx, "SELECT TOP 1 "+t.vector+" FROM "+t.name+" WHERE "+t.vector+" IS NOT NULL", 1, nil, func(row [][]byte) (err error) {
		if sample, err = codec.ParseText[float64](nil, row[0]); err != nil {
			return fmt.Errorf("the column %s holds no vectors: %w", t.vector, err)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case sample == nil && t.schema.Dim == 0:
		return fmt.Errorf("the table %s has no vectors to tell their dimensions by: state Dim", t.name)
	case sample == nil:
		return nil
	case t.schema.Dim != 0 && t.schema.Dim != len(sample):
		return &codec.DimensionError{Want: len(sample), Got: t.schema.Dim}
	}
	t.schema.Dim = len(sample)
	stated := t.schema.Element
	err = t.compare(ctx, c, stated)
	if isSQLCode(err, -259) {
		if other := otherElement(stated); t.compare(ctx, c, other) == nil {
			return errors.Join(&codec.ElementError{Want: other, Got: stated}, err)
		}
	}
	return err
}

func (t *table) compare(ctx context.Context, c *session, element codec.Element) error {
	ones := make([]float32, t.schema.Dim)
	for i := range ones {
		ones[i] = 1
	}
	sql := "SELECT TOP 1 VECTOR_DOT_PRODUCT(t." + t.vector + ", TO_VECTOR($1, " + elementType(element) + ")) FROM " + t.name + " t WHERE " + t.vector + " IS NOT NULL"
	return c.query(ctx, sql, 1, [][]byte{vectorText(engine.Vector{F32: ones})}, func([][]byte) error { return nil })
}

func otherElement(e codec.Element) codec.Element {
	if e == codec.FLOAT {
		return codec.DOUBLE
	}
	return codec.FLOAT
}
