package schema

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Token returns the After of a scan that goes on behind the record with this ID and
// this value of the field OrderBy.
func (s Scan) Token(id string, value any) string {
	if s.byID() {
		return id
	}
	t := token{By: s.OrderBy, Desc: s.Desc, ID: id}
	switch v := value.(type) {
	case time.Time:
		value = v.UnixMicro()
	case float64:
		if v-v != 0 { // only an attached table holds such a number
			value = strconv.FormatFloat(v, 'g', -1, 64)
		}
	}
	var err error
	if t.Value, err = json.Marshal(value); err != nil {
		return badToken // no field has such a value
	}
	b, _ := json.Marshal(t) // of texts and what is JSON already
	return base64.RawURLEncoding.EncodeToString(b)
}

const badToken = "?" // is none

// token is what a token of a scan by a field holds.
type token struct {
	By    string          `json:"by"`
	Desc  bool            `json:"desc,omitempty"`
	ID    string          `json:"id"`
	Value json.RawMessage `json:"value"` // null for none
}

// goOn has a plan go on behind the token of the scan.
func (s *Scan) goOn(plan *engine.Scan) error {
	bad := func(want string) error { return BadValue("After", want, filter.Describe(s.After)) }
	var t token
	b, err := base64.RawURLEncoding.DecodeString(s.After)
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		err = d.Decode(&t)
	}
	switch {
	case err != nil || t.ID == "" || t.Value == nil:
		return bad("what Scan.Token returns")
	case t.By != s.OrderBy || t.Desc != s.Desc:
		return bad(fmt.Sprintf("a token of a scan ordered by %q with Desc %t, and not by %q with Desc %t", s.OrderBy, s.Desc, Shorten(t.By), t.Desc))
	}
	if err := filter.CheckString("After", t.ID); err != nil {
		return err
	}
	plan.After = t.ID
	order := &plan.Order
	value, err := t.value(order.Type)
	if err != nil {
		return bad("what Scan.Token returns")
	}
	order.After, order.Missing = value, value == nil
	return nil
}

// value returns the value that a token holds, nil for none.
func (t *token) value(typ filter.Type) (any, error) {
	d := json.NewDecoder(bytes.NewReader(t.Value))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil || value == nil {
		return nil, err
	}
	switch v := value.(type) {
	case json.Number:
		if typ == filter.Time {
			micro, err := v.Int64()
			at := time.UnixMicro(micro).UTC()
			if y := at.Year(); y < -4712 || y > 294275 { // attached tables hold times beyond the years 1 to 9999
				return nil, strconv.ErrRange
			}
			return at, err
		}
	case string:
		if typ == filter.Float {
			return strconv.ParseFloat(v, 64)
		}
	}
	return typ.Convert("After", value)
}
