package transfer

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire"
)

// cellTimes are the forms of a Time in a table beside those of RFC 3339: what SQL and
// pandas write. Without a zone it is UTC.
var cellTimes = []string{"2006-01-02 15:04:05.999999999Z07:00", "2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04:05.999999999"}

// cellValue makes a field's value of the text of a cell.
func cellValue(f vecwire.Field, cell string) (any, error) {
	switch f.Type {
	case vecwire.Int:
		whole, fraction, _ := strings.Cut(cell, ".") // pandas writes 7.0 in a column with gaps
		if n, err := strconv.ParseInt(whole, 10, 64); err == nil && strings.Trim(fraction, "0") == "" {
			return n, nil
		}
	case vecwire.Float:
		if x, err := strconv.ParseFloat(cell, 64); err == nil && !math.IsInf(x, 0) && !math.IsNaN(x) {
			return f.Type.Convert(f.Name, x)
		}
	case vecwire.Bool:
		if b, err := strconv.ParseBool(cell); err == nil {
			return b, nil
		}
	case vecwire.Bytes:
		if b, err := base64.StdEncoding.DecodeString(cell); err == nil {
			return b, nil
		}
		return nil, cellMismatch(f.Name, "Bytes in base64", cell)
	case vecwire.Time:
		for _, layout := range cellTimes {
			if t, err := time.Parse(layout, cell); err == nil {
				return f.Type.Convert(f.Name, t)
			}
		}
		return f.Type.Convert(f.Name, cell)
	case vecwire.String:
		return f.Type.Convert(f.Name, cell)
	case vecwire.JSON:
		return f.Type.Convert(f.Name, json.RawMessage(cell))
	default: // a list
		if !json.Valid([]byte(cell)) || kindOf(trim([]byte(cell))) != "an array" {
			return nil, cellMismatch(f.Name, f.Type.String()+" as a JSON array", cell)
		}
		return listValue(f, trim([]byte(cell)))
	}
	return nil, cellMismatch(f.Name, f.Type.String(), cell)
}

// cellMismatch reports a cell that its field cannot hold.
func cellMismatch(field, want, cell string) error {
	return &vecwire.ValueError{Field: field, Pos: -1, Want: want, Got: strconv.Quote(shorten(cell))}
}
