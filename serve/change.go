package serve

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// inChange places the names of what is changed. The condition has the names of
// fields, too; a problem of it says so itself.
func inChange(name string) string {
	switch name {
	case "vector", "text":
		return "/" + name
	case "filter":
		return "/if"
	}
	return "/set/" + pointerOf(name)
}

func changeRecord(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	condition, _ := v["if"].(filter.Filter)
	if err := c.bounded("/if", condition); err != nil {
		return err
	}
	return c.on(func(h *handle) error {
		change := vecwire.Change{ID: c.r.PathValue("id"), Unset: stringsOf(get[[]any](v, "unset")), Text: get[string](v, "text"), If: condition}
		var err error
		if change.Vector, change.Vector64, err = get[numbers](v, "vector").read(h.schema, nil); err != nil {
			return within("/vector", err)
		}
		set, nulls, err := fieldsOf(h, get[json.RawMessage](v, "set"))
		if err != nil {
			return err
		}
		if raw := get[json.RawMessage](v, "vectors"); raw != nil {
			if change.Vectors, err = vectorsOf(h, raw); err != nil {
				return err
			}
		}
		change.Set, change.Unset = set, append(change.Unset, nulls...)
		if err := h.c.Update(c.ctx, change); err != nil {
			// A value that does not fit may be the condition's, which another verb tells.
			if _, wrong := h.c.Count(c.ctx, condition); valueDetails(wrong, inChange) != nil {
				return at("/if", wrong)
			}
			return err
		}
		c.w.WriteHeader(http.StatusNoContent)
		return nil
	})
}

func changeRecords(c *call) error {
	v, err := c.body()
	if err != nil {
		return err
	}
	f, err := c.filterOf(v)
	if err != nil {
		return err
	}
	if f.IsZero() != get[bool](v, "all") {
		return invalid("", "either a filter that is not empty, or all", "both or neither")
	}
	return c.on(func(h *handle) error {
		set, nulls, err := fieldsOf(h, get[json.RawMessage](v, "set"))
		if err != nil {
			return err
		}
		for _, name := range nulls {
			if set == nil {
				set = vecwire.Fields{}
			}
			set[name] = nil
		}
		n, err := h.c.UpdateWhere(c.ctx, f, set)
		if err != nil {
			return err
		}
		return c.json(http.StatusOK, append(strconv.AppendInt([]byte(`{"changed":`), int64(n), 10), '}'))
	})
}
