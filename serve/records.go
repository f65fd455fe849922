package serve

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/transfer"
)

func getRecord(c *call) error {
	return c.on(func(h *handle) error {
		records, err := h.c.Get(c.ctx, c.r.PathValue("id"))
		if err != nil {
			return err
		}
		if len(records) == 0 {
			return errNoRecord
		}
		body, err := h.encode(c.scratch().answer[:0], records[0])
		c.room.answer = body
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, body)
	})
}

var errNoRecord = newProblem(http.StatusNotFound, "not-found", "there is no record of that ID")

// putRecord stores one record. Its body is read as a line of a body of records is.
func putRecord(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	return c.on(func(h *handle) error {
		r, err := recordOf(h, c.r.PathValue("id"), v)
		if err != nil {
			return err
		}
		if err := h.c.Upsert(c.ctx, r); err != nil {
			return err
		}
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

// recordOf makes a record of a body of the shape of one. Package transfer knows
// what stands for a field's value.
func recordOf(h *handle, id string, v values) (vecwire.Record, error) {
	r := vecwire.Record{ID: id, Text: get[string](v, "text")}
	var err error
	if r.Vector, r.Vector64, err = get[numbers](v, "vector").read(h.schema, nil); err != nil {
		return r, within("/vector", err)
	}
	if r.Fields, _, err = fieldsOf(h, get[json.RawMessage](v, "fields")); err != nil {
		return r, err
	}
	if raw := get[json.RawMessage](v, "vectors"); raw != nil {
		r.Vectors, err = vectorsOf(h, raw)
	}
	return r, err
}

// fieldsOf reads an object of fields' values, and the names of those that are null.
func fieldsOf(h *handle, raw json.RawMessage) (fields vecwire.Fields, nulls []string, err error) {
	if raw == nil {
		return nil, nil, nil
	}
	var line bytes.Buffer
	line.WriteString(`{"id":"-","fields":`)
	if err := json.Compact(&line, raw); err != nil {
		return nil, nil, malformed("the fields are not JSON")
	}
	line.WriteByte('}')
	for read, err := range transfer.ReadJSONL(&line, h.schema) {
		if err != nil {
			if refused, ok := errors.AsType[*vecwire.RecordError](err); ok {
				err = refused.Err
			}
			return nil, nil, err
		}
		fields = read.Fields
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return nil, nil, malformed("the fields are not JSON")
	}
	for name, value := range given {
		if string(value) == "null" {
			nulls = append(nulls, name)
		}
	}
	return fields, nulls, nil
}

func deleteRecord(c *call) error {
	return c.on(func(h *handle) error {
		n, err := h.c.Delete(c.ctx, c.r.PathValue("id"))
		if err != nil {
			return err
		}
		if n == 0 {
			return errNoRecord
		}
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

func stringsOf(list []any) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i], _ = v.(string)
	}
	return out
}

func getRecords(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	without := v["vectors"] == false
	return c.on(func(h *handle) error {
		records, err := h.c.Get(c.ctx, stringsOf(get[[]any](v, "ids"))...)
		if err != nil {
			return err
		}
		body := c.scratch().answer[:0]
		body = append(body, `{"records":[`...)
		for i, r := range records {
			if without {
				r.Vector, r.Vector64, r.Vectors = nil, nil, nil
			}
			if i > 0 {
				body = append(body, ',')
			}
			if body, err = h.encode(body, r); err != nil {
				return err
			}
		}
		body = append(body, "]}"...)
		c.room.answer = body
		return c.json(http.StatusOK, body)
	})
}

func deleteRecords(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	f, err := c.filterOf(v)
	if err != nil {
		return err
	}
	ids := get[[]any](v, "ids")
	ways := 0
	for _, given := range []bool{ids != nil, !f.IsZero(), get[bool](v, "all")} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return invalid("", "one of ids, a filter that is not empty, or all", strconv.Itoa(ways)+" of them")
	}
	return c.on(func(h *handle) error {
		var n int
		var err error
		if ids != nil {
			n, err = h.c.Delete(c.ctx, stringsOf(ids)...)
		} else {
			n, err = h.c.DeleteWhere(c.ctx, f)
		}
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, append(strconv.AppendInt([]byte(`{"deleted":`), int64(n), 10), '}'))
	})
}

func countRecords(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	f, err := c.filterOf(v)
	if err != nil {
		return err
	}
	return c.on(func(h *handle) error { return c.count(h, f) })
}

func (c *call) count(h *handle, f filter.Filter) error {
	n, err := h.c.Count(c.ctx, f)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, append(strconv.AppendInt([]byte(`{"count":`), int64(n), 10), '}'))
}
