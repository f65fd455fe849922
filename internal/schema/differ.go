package schema

import (
	"errors"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/internal/engine"
)

// ErrModelMismatch says that a model is not the one that filled a collection. The root
// re-exports it.
var ErrModelMismatch = errors.New("embedding model mismatch")

// Differs returns an [*Error] that says what of a collection is not as it is wanted,
// with extra as its field that gathers what no field is for, and cannot be made so; nil
// if all is. Fields that the collection lacks, or has more, do not count.
func Differs(is, want engine.Schema, extra string) error {
	const elsewhere = "use another name, and copy the records there, as transfer.Copy does"
	differs := func(field, format string, args ...any) error {
		return &Error{Collection: is.Name, Field: field, Msg: fmt.Sprintf(format, args...)}
	}
	switch {
	case is.Model != want.Model:
		return fmt.Errorf("%w: %w: vectors of two models cannot be compared; DB.Reembed gives the collection those of another",
			ErrModelMismatch, differs("", "Model is %q, want %q", is.Model, want.Model))
	case is.Dim != want.Dim:
		return differs("", "Dim is %d, want %d: DB.Reembed gives the collection vectors of another model, or %s", is.Dim, want.Dim, elsewhere)
	case is.Element != want.Element:
		return differs("", "Element is %s, want %s: %s", is.Element, want.Element, elsewhere)
	case is.Metric != want.Metric:
		return differs("", "Metric is %s, want %s: %s", is.Metric, want.Metric, elsewhere)
	case want.Distributed != engine.NotDistributed && is.Distributed != want.Distributed:
		return differs("", "Distributed is %s, want %s: %s", is.Distributed, want.Distributed, elsewhere)
	case is.MaxRecords != want.MaxRecords:
		return differs("", "MaxRecords is %d, want %d: DB.AlterCollection changes it", is.MaxRecords, want.MaxRecords)
	case is.FullText != want.FullText:
		return differs("", "FullText is %s, want %s: DB.AlterCollection turns it on and off", is.FullText, want.FullText)
	}
	if has := Extra(is); has != "" && extra != "" && extra != has {
		return differs("", "Extra is %q, want %q: %s", has, extra, elsewhere)
	}
	for _, f := range want.Fields {
		i := slices.IndexFunc(is.Fields, func(there engine.Field) bool { return there.Name == f.Name })
		switch {
		case i < 0:
		case is.Fields[i].Type != f.Type:
			return differs(f.Name, "is %s, want %s: DB.AlterCollection can rename or drop it", is.Fields[i].Type, f.Type)
		case is.Fields[i].Expires != f.Expires:
			return differs(f.Name, "Expires is %t, want %t: DB.AlterCollection turns it on and off", is.Fields[i].Expires, f.Expires)
		case is.Fields[i].Extra != f.Extra:
			return differs(f.Name, "gathers what no field is for: %t, want %t: %s", is.Fields[i].Extra, f.Extra, elsewhere)
		}
	}
	return vectorsDiffer(is, want)
}

// Extra returns the name of the field that gathers what no field is for, "" if there is
// none.
func Extra(s engine.Schema) string {
	for _, f := range s.Fields {
		if f.Extra {
			return f.Name
		}
	}
	return ""
}

// Missing returns the fields of a wanted schema that a collection lacks.
func Missing(is, want engine.Schema) (fields []engine.Field) {
	for _, f := range want.Fields {
		if !slices.ContainsFunc(is.Fields, func(there engine.Field) bool { return there.Name == f.Name }) {
			fields = append(fields, f)
		}
	}
	return fields
}
