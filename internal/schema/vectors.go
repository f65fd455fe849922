package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// MaxVectors is how many named vectors a schema may have.
const MaxVectors = 8

// checkVectors refuses named vectors that cannot be. The folded names of seen are taken.
func checkVectors(s engine.Schema, caps engine.Capabilities, seen map[string]bool, fail func(field, format string, args ...any) error) error {
	switch n := len(s.Vectors); {
	case n == 0:
		return nil
	case !caps.Vectors:
		return engine.Unsupported(engine.LackVectors, caps.Engine)
	case n > MaxVectors:
		return fail("", "has %d Vectors, want at most %d", n, MaxVectors)
	}
	for _, v := range s.Vectors {
		isSource := func(f engine.Field) bool { return f.Name == v.Source && f.Type == filter.String }
		switch folded := strings.ToLower(v.Name); {
		case !nameRE.MatchString(v.Name):
			return fail(v.Name, "is a vector, whose name "+NameRule)
		case Taken(v.Name) || seen[folded]:
			return fail(v.Name, "is a vector, whose name is taken")
		case v.Dim < 1 || v.Dim > caps.MaxDim:
			return fail(v.Name, "is a vector, whose Dim is %d, want 1 to %d", v.Dim, caps.MaxDim)
		case v.Metric > codec.L2:
			return fail(v.Name, "is a vector, whose Metric is %d, want Cosine, Dot or L2", v.Metric)
		case v.Metric == codec.L2 && !caps.L2:
			return engine.Unsupported("the metric L2", caps.Engine)
		case v.Source != "" && !slices.ContainsFunc(s.Fields, isSource):
			return fail(v.Name, "is a vector, whose Source is %q, want a String field of the schema, or none for the text", Shorten(v.Source))
		default:
			seen[folded] = true
		}
		if err := filter.CheckString("Model", v.Model); err != nil {
			return err
		}
	}
	return nil
}

// vectorsDiffer is Differs for named vectors.
func vectorsDiffer(is, want engine.Schema) error {
	for _, v := range want.Vectors {
		i := is.VectorPlace(v.Name)
		if i < 0 {
			continue
		}
		has := is.Vectors[i]
		has.Store = v.Store
		differs := func(format string, args ...any) error {
			return &Error{Collection: is.Name, Field: v.Name, Msg: fmt.Sprintf("is a vector, "+format+": DB.AlterCollection drops it, and adds it again", args...)}
		}
		switch {
		case has.Model != v.Model:
			return fmt.Errorf("%w: %w", ErrModelMismatch, differs("whose Model is %q, want %q", has.Model, v.Model))
		case has.Dim != v.Dim:
			return differs("whose Dim is %d, want %d", has.Dim, v.Dim)
		case has.Metric != v.Metric:
			return differs("whose Metric is %s, want %s", has.Metric, v.Metric)
		case has.Source != v.Source:
			return differs("whose Source is %q, want %q", has.Source, v.Source)
		}
	}
	return nil
}

// MissingVectors returns the named vectors of a wanted schema that a collection lacks.
func MissingVectors(is, want engine.Schema) (missing []engine.NamedVector) {
	for _, v := range want.Vectors {
		if is.VectorPlace(v.Name) < 0 {
			missing = append(missing, v)
		}
	}
	return missing
}

// vectors returns what becomes of a schema's named vectors. A Source follows a field that
// gets another name.
func (a Alter) vectors(s engine.Schema) (out []engine.NamedVector, err error) {
	for _, name := range a.DropVectors {
		if s.VectorPlace(name) < 0 {
			return nil, NoVector(s, name)
		}
	}
	for _, v := range s.Vectors {
		if to, renamed := a.RenameFields[v.Source]; renamed {
			v.Source = to
		}
		if !slices.Contains(a.DropVectors, v.Name) {
			out = append(out, v)
		}
	}
	return append(out, a.AddVectors...), nil
}

// NoVector is the error about a named vector that a schema does not have.
func NoVector(s engine.Schema, name string) error {
	return &Error{Collection: s.Name, Field: Shorten(name), Msg: "is not among its Vectors"}
}

// Named checks the named vectors of a record, and returns them in the order of the
// schema; nil if that has none.
func (r *Rules) Named(vectors map[string][]float32) ([]engine.Vector, error) {
	if len(r.schema.Vectors) == 0 && len(vectors) == 0 {
		return nil, nil
	}
	values, err := r.NamedValues(vectors)
	out := make([]engine.Vector, len(r.schema.Vectors))
	for _, v := range values {
		out[v.Place] = v.Vector
	}
	return out, err
}

// NamedValues checks named vectors, of which nil stands for none.
func (r *Rules) NamedValues(vectors map[string][]float32) (values []engine.NamedValue, err error) {
	for _, name := range slices.Sorted(maps.Keys(vectors)) {
		i := r.schema.VectorPlace(name)
		if i < 0 {
			return nil, NoVector(r.schema, name)
		}
		v := vectors[name]
		if v != nil {
			if err := r.schema.Vectors[i].Check(v); err != nil {
				return nil, err
			}
		}
		values = append(values, engine.NamedValue{Place: i, Vector: engine.Vector{F32: v}})
	}
	return values, nil
}
