package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

const (
	maxFields = 200
	maxPaths  = 20 // into a JSON field, which can be indexed
)

var nameRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,47}$`)

// NameRule is the rule for names of collections and fields, as errors say it.
const NameRule = "must be 1 to 48 letters, digits and underscores, beginning with a letter"

// IsName reports whether a collection can have a name, be it one of vecwire's own.
func IsName(name string) bool { return nameRE.MatchString(name) }

// Taken reports whether a name is among those that vecwire keeps for itself.
func Taken(name string) bool { return strings.HasPrefix(strings.ToLower(name), "vecwire_") }

// Check refuses a schema that an engine with these capabilities cannot make. The field
// extra, if there is one, gathers what no field is for.
func Check(s engine.Schema, extra string, caps engine.Capabilities) error {
	fail := func(field, format string, args ...any) error {
		return &Error{Collection: Shorten(s.Name), Field: Shorten(field), Msg: fmt.Sprintf(format, args...)}
	}
	switch {
	case !nameRE.MatchString(s.Name):
		return fail("", "the name %s", NameRule)
	case Taken(s.Name):
		return fail("", "names that begin with vecwire_ are taken")
	case s.Dim < 1 || s.Dim > caps.MaxDim:
		return fail("", "Dim is %d, want 1 to %d", s.Dim, caps.MaxDim)
	case s.Element > codec.DOUBLE:
		return fail("", "Element is %d, want FLOAT or DOUBLE", s.Element)
	case s.Metric > codec.L2:
		return fail("", "Metric is %d, want Cosine, Dot or L2", s.Metric)
	case s.Element == codec.DOUBLE && !caps.Doubles:
		return engine.Unsupported("the element type DOUBLE", caps.Engine)
	case s.Metric == codec.L2 && !caps.L2:
		return engine.Unsupported("the metric L2", caps.Engine)
	case !s.FullText.Known():
		return fail("", "FullText is %d, want NoFullText, Words, English or the Stem of one of %q", s.FullText, engine.Languages())
	case s.FullText != engine.NoFullText && !caps.FullText:
		return engine.Unsupported("full text", caps.Engine)
	case s.MaxRecords < 0:
		return fail("", "MaxRecords is %d, want how many records there may be, or 0 for any number", s.MaxRecords)
	case s.MaxRecords > 0 && !caps.MaxRecords:
		return engine.Unsupported("a bound on the number of records, MaxRecords,", caps.Engine)
	case s.MaxRecords > 0 && s.Distributed != engine.NotDistributed:
		return fail("", "has MaxRecords and is Distributed, want one of the two")
	case s.Index > engine.NoIndex:
		return fail("", "Index is %d, want AutoIndex or NoIndex", s.Index)
	case s.Codes > engine.FourBits:
		return fail("", "Codes is %d, want SevenBits or FourBits", s.Codes)
	case s.Codes != engine.SevenBits && !caps.Codes:
		return engine.Unsupported(engine.LackCodes, caps.Engine)
	case len(s.Fields) > maxFields:
		return fail("", "has %d fields, want at most %d", len(s.Fields), maxFields)
	}
	expires := ""
	seen := map[string]bool{"id": true, "text": true, "vector": true}
	for _, f := range s.Fields {
		folded := strings.ToLower(f.Name)
		switch {
		case !nameRE.MatchString(f.Name):
			return fail(f.Name, NameRule)
		case Taken(f.Name) || seen[folded]:
			return fail(f.Name, "is taken")
		case !f.Type.Valid():
			return fail(f.Name, "has the unknown type %s", f.Type)
		case f.Expires && f.Type != filter.Time:
			return fail(f.Name, "is %s and Expires, want Time", f.Type)
		case f.Expires && expires != "":
			return fail(f.Name, "Expires, and so does %q: want one field", expires)
		case f.Expires:
			expires = f.Name
		}
		if _, list := f.Type.Elem(); list && !caps.Lists {
			return engine.Unsupported(fmt.Sprintf("the field %q of type %s", f.Name, f.Type), caps.Engine)
		}
		if err := checkJSON(f, caps, fail); err != nil {
			return err
		}
		seen[folded] = true
	}
	if extra != "" && !slices.ContainsFunc(s.Fields, func(f engine.Field) bool { return f.Name == extra && f.Type == filter.JSON }) {
		return fail(extra, "is Extra, which wants a field of that name and of type JSON among Fields")
	}
	if err := checkVectors(s, caps, seen, fail); err != nil {
		return err
	}
	if err := checkDistributed(s, caps, fail); err != nil {
		return err
	}
	return filter.CheckString("Model", s.Model)
}

// checkJSON checks what a field says about JSON.
func checkJSON(f engine.Field, caps engine.Capabilities, fail func(field, format string, args ...any) error) error {
	switch {
	case f.Type != filter.JSON && len(f.Paths) > 0:
		return fail(f.Name, "is %s and has Paths, which are for JSON", f.Type)
	case f.Type != filter.JSON:
		return nil
	case !caps.JSON:
		return engine.Unsupported(fmt.Sprintf("the field %q of type %s", f.Name, f.Type), caps.Engine)
	case f.Index:
		return fail(f.Name, "is JSON, which has no index as a whole: name what to index in Paths")
	case len(f.Paths) > maxPaths:
		return fail(f.Name, "has %d Paths, want at most %d", len(f.Paths), maxPaths)
	}
	for i, path := range f.Paths {
		isJSON := func(string) (filter.Type, bool) { return filter.JSON, true }
		if _, err := filter.IsNull(f.Name + "." + path).Check(isJSON); err != nil || len(path) > 200 {
			return fail(f.Name, "has the path %q, want keys between dots, at most 200 bytes", Shorten(path))
		}
		if slices.Contains(f.Paths[:i], path) {
			return fail(f.Name, "has the path %q twice", path)
		}
	}
	return nil
}
