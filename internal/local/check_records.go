package local

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/engine"
)

// found is what a check has read of a collection.
type found struct {
	c     *collection
	count int
	last  int64              // the last row that was read, in the order of rows
	words map[int64]*wordSum // of the texts, nil without full text
	row   func(v []any)      // is given the rows instead of the check, if not nil
}

// tables asks SQLite which of the collection's tables are not whole.
func (k *checker) tables(ctx context.Context, c *collection) error {
	names := []string{rowsTable(c.schema.Name), dataTable(c.schema.Name)}
	for _, f := range indexedLists(c.schema) {
		names = append(names, valuesTable(c.schema.Name, f.Name))
	}
	if c.schema.FullText != engine.NoFullText {
		names = append(names, wordsTable(c.schema.Name))
	}
	for _, name := range names {
		faults, err := k.pragma(ctx, "PRAGMA integrity_check("+name+")")
		if len(faults) > 0 {
			k.add(c.schema.Name, "", "SQLite finds faults in the table %s: the first is: %s", name, faults[0])
		}
		if err := k.try(ctx, c.schema.Name, "SQLite cannot check the table "+name, err); err != nil {
			return err
		}
	}
	return nil
}

func indexedLists(s engine.Schema) (fields []engine.Field) {
	for _, f := range s.Fields {
		if _, list := f.Type.Elem(); list && f.Index {
			fields = append(fields, f)
		}
	}
	return fields
}

// records reads all records. After a damaged page it reads them one by one, so that
// only those on the page are lost.
func (k *checker) records(ctx context.Context, f *found) error {
	err := k.readRecords(ctx, f, "")
	if !isDamage(ctx, err) {
		return err
	}
	k.unread[f.c.id] = true
	k.add(f.c.schema.Name, "", "its records cannot be read in one go: %v", err)
	ids, err := k.rowsAndIDs(ctx, f.c)
	if err != nil {
		return err
	}
	for _, row := range slices.Sorted(maps.Keys(ids)) {
		if row <= f.last {
			continue
		}
		err := k.readRecords(ctx, f, fmt.Sprintf(" WHERE r.%s = %d", rowColumn, row))
		if isDamage(ctx, err) {
			k.add(f.c.schema.Name, ids[row], "the record cannot be read: %v", err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

// rowsAndIDs returns the ID of each row, as far as they can be read. Of the IDs there are
// two copies, in the table and in the index over them.
func (k *checker) rowsAndIDs(ctx context.Context, c *collection) (map[int64]string, error) {
	ids := map[int64]string{}
	for _, order := range []string{"vecwire_row", "id"} {
		err := k.each(ctx, fmt.Sprintf("SELECT %s, id FROM %s ORDER BY %s", rowColumn, rowsTable(c.schema.Name), order), nil, func(v []any) {
			if row, ok := v[0].(int64); ok {
				ids[row] = fmt.Sprint(v[1])
			}
		})
		if err != nil && !isDamage(ctx, err) {
			return nil, err
		}
	}
	return ids, nil
}

func (k *checker) readRecords(ctx context.Context, f *found, where string) error {
	s := f.c.schema
	columns := []string{"r." + rowColumn, "r.id"}
	for _, field := range s.Fields {
		columns = append(columns, "r."+quote(field.Name))
	}
	query := fmt.Sprintf("SELECT %s, d.%s, d.vector, d.text FROM %s r LEFT JOIN %s d ON d.%[2]s = r.%[2]s",
		strings.Join(columns, ", "), rowColumn, rowsTable(s.Name), dataTable(s.Name)) + where
	if where == "" {
		query += " ORDER BY r." + rowColumn
	}
	take := f.row
	if take == nil {
		take = func(v []any) { k.record(f, v) }
	}
	return k.each(ctx, query, nil, take)
}

// record checks what one row of readRecords holds.
func (k *checker) record(f *found, v []any) {
	s := f.c.schema
	row, _ := v[0].(int64)
	f.count++
	f.last = row
	id, ok := v[1].(string)
	if !ok || id == "" || len(id) > maxIDBytes {
		k.add(s.Name, fmt.Sprint(v[1]), "the ID of row %d is %T of %d bytes, want a text of 1 to %d", row, v[1], len(id), maxIDBytes)
	}
	if row < 0 || row >= math.MaxInt32 {
		k.add(s.Name, id, "it is row %d, want 0 to %d", row, math.MaxInt32-1)
	}
	v = v[2:]
	for i, field := range s.Fields {
		if _, ok := value(field.Type, v[i]); !ok {
			k.add(s.Name, id, "field %q holds a %T that is no %v", field.Name, v[i], field.Type)
		}
	}
	v = v[len(s.Fields):]
	if v[0] == nil {
		k.add(s.Name, id, "it has no vector and no text: its row %d is missing in %s", row, dataTable(s.Name))
		return
	}
	if !k.store.held() { // or else checkMemory looks at it
		blob, _ := v[1].([]byte)
		if _, err := f.c.checkedVector(id, blob); err != nil {
			k.add(s.Name, id, "its vector: %v", err)
		}
	}
	text, _ := v[2].(string)
	if v[2] != nil && f.words != nil {
		f.words[row] = &wordSum{id: id, sum: sumOfText(s.FullText, text)}
	}
}

// checkedVector reads a stored vector, and refuses one that the root would.
func (c *collection) checkedVector(id string, blob []byte) (engine.Vector, error) {
	v, err := c.decodeVector(engine.Vector{}, id, blob)
	switch {
	case err != nil:
	case c.schema.Element == codec.DOUBLE:
		err = codec.Check(v.F64, c.schema.Dim, c.schema.Metric)
	default:
		err = codec.Check(v.F32, c.schema.Dim, c.schema.Metric)
	}
	return v, err
}

// twice looks for IDs that more than one record has, without the index over them.
func (k *checker) twice(ctx context.Context, f *found) error {
	name := f.c.schema.Name
	return k.each(ctx, fmt.Sprintf("SELECT id, count(*) FROM %s NOT INDEXED GROUP BY id HAVING count(*) > 1", rowsTable(name)), nil, func(v []any) {
		k.add(name, fmt.Sprint(v[0]), "%d records have this ID", v[1])
	})
}

// orphans looks for vectors and texts of no record.
func (k *checker) orphans(ctx context.Context, f *found) error {
	name := f.c.schema.Name
	return k.each(ctx, fmt.Sprintf("SELECT d.%[1]s FROM %[2]s d WHERE NOT EXISTS (SELECT 1 FROM %[3]s r WHERE r.%[1]s = d.%[1]s)",
		rowColumn, dataTable(name), rowsTable(name)), nil, func(v []any) {
		k.add(name, "", "row %v of %s belongs to no record", v[0], dataTable(name))
	})
}

// lists compares the tables of values with the lists.
func (k *checker) lists(ctx context.Context, f *found) error {
	name := f.c.schema.Name
	for _, field := range indexedLists(f.c.schema) {
		table, list := valuesTable(name, field.Name), quote(field.Name)
		err := k.each(ctx, fmt.Sprintf(`SELECT DISTINCT r.id, j.value FROM %[1]s r, json_each(CASE WHEN json_valid(r.%[2]s) THEN r.%[2]s END) j
			WHERE NOT EXISTS (SELECT 1 FROM %[3]s v WHERE v.value = j.value AND v.%[4]s = r.%[4]s)`,
			rowsTable(name), list, table, rowColumn), nil, func(v []any) {
			k.add(name, fmt.Sprint(v[0]), "the index over %q lacks %v", field.Name, v[1])
		})
		if err != nil {
			return err
		}
		err = k.each(ctx, fmt.Sprintf(`SELECT r.id, v.value, v.%[4]s FROM %[3]s v LEFT JOIN %[1]s r ON r.%[4]s = v.%[4]s
			WHERE NOT EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(r.%[2]s) THEN r.%[2]s END) j WHERE j.value = v.value)`,
			rowsTable(name), list, table, rowColumn), nil, func(v []any) {
			if v[0] == nil {
				k.add(name, "", "the index over %q has %v for row %v, which belongs to no record", field.Name, v[1], v[2])
				return
			}
			k.add(name, fmt.Sprint(v[0]), "the index over %q has %v, and the list does not", field.Name, v[1])
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// triggers counts what keeps indexed lists and full text in step with the records.
func (k *checker) triggers(ctx context.Context, f *found) error {
	s := f.c.schema
	want := map[string]int{s.Name + ".rows": 3 * len(indexedLists(s))}
	if s.FullText != engine.NoFullText {
		want[s.Name+".data"] = 1
	}
	for table, n := range want {
		err := k.each(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? COLLATE NOCASE", []any{table}, func(v []any) {
			if got, _ := v[0].(int64); int(got) < n {
				k.add(s.Name, "", "the table %q has %d triggers, want %d: its indexes do not follow", table, got, n)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
