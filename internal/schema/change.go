package schema

import (
	"fmt"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Change says what of one record is to be other than it is. What it does not name stays.
type Change struct {
	ID    string
	Set   map[string]any
	Unset []string // fields, and text for the text
	Text  string   // "" leaves it
	F32   []float32
	F64   []float64
	Named map[string][]float32
	If    filter.Filter
}

// text stands for the text in Change.Unset and in errors; no field has it.
const text = "text"

// Changes checks changes. It returns either those to make, in their order, or those that
// are refused. With an embedder a new text needs no vector.
func (r *Rules) Changes(changes []Change, embedder bool) (plan []engine.Change, refused []engine.Refusal) {
	plan = make([]engine.Change, len(changes))
	seen := make(map[string]int, len(changes))
	for i := range changes {
		ch := &changes[i]
		err := r.ID(ch.ID)
		if err == nil {
			if first, again := seen[ch.ID]; again {
				err = &codec.ValueError{Field: "id", Pos: -1, Want: "each ID once in a call: put its changes into one Change", Got: fmt.Sprintf("the ID of change %d, too", first)}
			}
			seen[ch.ID] = i
		}
		if err == nil {
			plan[i], err = r.change(ch, embedder)
		}
		if err != nil {
			refused = append(refused, engine.Refusal{Index: i, Err: err})
		}
	}
	return plan, refused
}

func (r *Rules) change(ch *Change, embedder bool) (p engine.Change, err error) {
	p.ID = ch.ID
	unset := make(map[string]any, len(ch.Unset))
	for _, name := range ch.Unset {
		if v, both := ch.Set[name]; both && v != nil {
			return p, r.fail(name, "is in Set and in Unset: name it once")
		}
		if name != text {
			unset[name] = nil
			continue
		}
		if ch.Text != "" {
			return p, &codec.ValueError{Field: text, Pos: -1, Want: "a Text, or text in Unset", Got: "both"}
		}
		p.Text = &ch.Text
	}
	if p.Fields, err = r.Values(ch.Set, unset); err != nil {
		return p, err
	}
	if ch.Text != "" {
		if err = filter.CheckString(text, ch.Text); err != nil {
			return p, err
		}
		p.Text = &ch.Text
	}
	given := ch.F32 != nil || ch.F64 != nil
	if given {
		if p.Vector, err = r.schema.Vector(ch.F32, ch.F64); err != nil {
			return p, err
		}
	}
	if ch.Text != "" && !given && !embedder && r.schema.Model != "" {
		return p, fmt.Errorf("%w: give the vector that %q makes of the text, or use the collection that WithEmbedder returns",
			&codec.ValueError{Field: "vector", Pos: -1, Want: "a vector beside a new text", Got: "none"}, r.schema.Model)
	}
	if p.Named, err = r.NamedValues(ch.Named); err != nil {
		return p, err
	}
	p.If, err = r.Filter(ch.If)
	return p, err
}
