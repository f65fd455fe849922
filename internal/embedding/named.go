package embedding

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/schema"
)

// Named makes the named vectors of a collection's records.
type Named struct {
	Collection engine.Collection
	Rules      *schema.Rules
	Models     map[string]Model // by the vectors' names
}

// Job is Complete for a job, nil if no named vector is embedded.
func (n Named) Job() func(context.Context, []*engine.Record) error {
	if len(n.Models) == 0 {
		return nil
	}
	return func(ctx context.Context, records []*engine.Record) error { return n.Complete(ctx, records, false) }
}

// Lacks returns what reports whether Complete would give a record a vector, nil if no
// named vector is embedded.
func (n Named) Lacks() func(*engine.Record) bool {
	if len(n.Models) == 0 {
		return nil
	}
	return func(r *engine.Record) bool {
		for name := range n.Models {
			i := n.Rules.Schema().VectorPlace(name)
			if i < 0 || r.Named[i].IsZero() && n.Source(i, r) != "" { // of one that is gone Complete says so
				return true
			}
		}
		return false
	}
}

// Complete gives records the named vectors that they lack, and that have an embedder.
// With reuse a record that is stored with the same text already keeps its vector.
func (n Named) Complete(ctx context.Context, records []*engine.Record, reuse bool) error {
	for _, name := range slices.Sorted(maps.Keys(n.Models)) {
		i := n.Rules.Schema().VectorPlace(name)
		if i < 0 {
			return dropped(name)
		}
		lacking := slices.DeleteFunc(slices.Clone(records), func(r *engine.Record) bool {
			return !r.Named[i].IsZero() || n.Source(i, r) == ""
		})
		if reuse {
			var err error
			if lacking, err = n.reuse(ctx, i, lacking); err != nil {
				return err
			}
		}
		texts := make([]string, len(lacking))
		for j, r := range lacking {
			texts[j] = n.Source(i, r)
		}
		vectors, err := n.embed(ctx, i, texts)
		if err != nil {
			return err
		}
		for j, r := range lacking {
			r.Named[i] = vectors[j]
		}
	}
	return nil
}

// dropped says that a vector is gone for which there was an embedder.
func dropped(name string) error {
	return fmt.Errorf("%w: it has no vector %q any more", engine.ErrAltered, name)
}

// Source returns the text that a named vector of a record stands for.
func (n Named) Source(place int, r *engine.Record) string {
	source := n.Rules.Schema().Vectors[place].Source
	if source == "" {
		return r.Text
	}
	text := ""
	if _, i, ok := n.Rules.Field(source); ok {
		text, _ = r.Fields[i].(string)
	}
	return text
}

// reuse gives records the vectors that are stored for the same texts, and returns the
// others.
func (n Named) reuse(ctx context.Context, place int, records []*engine.Record) ([]*engine.Record, error) {
	if len(records) == 0 {
		return nil, nil
	}
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.ID
	}
	found, err := n.Collection.Get(ctx, ids, true)
	if err != nil {
		return nil, err
	}
	stored := make(map[string]*engine.Record, len(found))
	for i := range found {
		stored[found[i].ID] = &found[i]
	}
	return slices.DeleteFunc(records, func(r *engine.Record) bool {
		is := stored[r.ID]
		if is == nil || is.Named[place].IsZero() || n.Source(place, is) != n.Source(place, r) {
			return false
		}
		r.Named[place] = is.Named[place]
		return true
	}), nil
}

// Changes gives changes the named vectors of the texts that they change.
func (n Named) Changes(ctx context.Context, changes []engine.Change) error {
	for _, name := range slices.Sorted(maps.Keys(n.Models)) {
		i := n.Rules.Schema().VectorPlace(name)
		if i < 0 {
			return dropped(name)
		}
		var texts []string
		var changed []*engine.Change
		for j := range changes {
			ch := &changes[j]
			text, does := n.newSource(i, ch)
			if !does || slices.ContainsFunc(ch.Named, func(v engine.NamedValue) bool { return v.Place == i }) {
				continue
			}
			if text == "" {
				ch.Named = append(ch.Named, engine.NamedValue{Place: i})
				continue
			}
			texts, changed = append(texts, text), append(changed, ch)
		}
		vectors, err := n.embed(ctx, i, texts)
		if err != nil {
			return err
		}
		for j, ch := range changed {
			ch.Named = append(ch.Named, engine.NamedValue{Place: i, Vector: vectors[j]})
		}
	}
	return nil
}

// newSource returns the text that a named vector stands for after a change, and whether
// the change names it.
func (n Named) newSource(place int, ch *engine.Change) (text string, changes bool) {
	source := n.Rules.Schema().Vectors[place].Source
	if source == "" {
		if ch.Text == nil {
			return "", false
		}
		return *ch.Text, true
	}
	_, at, ok := n.Rules.Field(source)
	i := slices.IndexFunc(ch.Fields, func(f engine.FieldValue) bool { return f.Place == at })
	if !ok || i < 0 {
		return "", false
	}
	text, _ = ch.Fields[i].Value.(string)
	return text, true
}

// embed returns checked vectors of texts for a named vector.
func (n Named) embed(ctx context.Context, place int, texts []string) ([]engine.Vector, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	v := n.Rules.Schema().Vectors[place]
	vectors, err := n.Models[v.Name].Texts(ctx, texts, embed.Document)
	if err != nil {
		return nil, fmt.Errorf("the vector %q: %w", v.Name, err)
	}
	out := make([]engine.Vector, len(vectors))
	for i, made := range vectors {
		if err := v.Check(made); err != nil {
			return nil, &Error{Model: v.Model, Texts: 1, Err: err}
		}
		out[i] = engine.Vector{F32: made}
	}
	return out, nil
}
