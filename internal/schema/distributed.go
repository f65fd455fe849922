package schema

import (
	"slices"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// checkDistributed refuses what an engine with these capabilities cannot spread.
func checkDistributed(s engine.Schema, caps engine.Capabilities, fail func(field, format string, args ...any) error) error {
	switch {
	case s.Distributed > engine.ByNamespace:
		return fail("", "Distributed is %d, want NotDistributed, ByID or ByNamespace", s.Distributed)
	case s.Distributed != engine.NotDistributed && !caps.Distributed:
		return engine.Unsupported(engine.LackDistributed, caps.Engine)
	case s.Distributed == engine.ByNamespace:
		_, err := NamespacePlace(s)
		return err
	}
	return nil
}

// NamespacePlace returns the place of the field that tells namespaces apart.
func NamespacePlace(s engine.Schema) (int, error) {
	i := slices.IndexFunc(s.Fields, func(f engine.Field) bool { return f.Name == engine.NamespaceField })
	if i < 0 || s.Fields[i].Type != filter.String || !s.Fields[i].Index {
		return 0, &Error{Collection: s.Name, Field: engine.NamespaceField, Msg: "is needed, of the type String and with an index"}
	}
	return i, nil
}
