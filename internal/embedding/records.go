package embedding

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/internal/engine"
)

// Item is a record, as far as its vector is concerned.
type Item struct {
	ID, Text string
	Vector   engine.Vector // both nil for none
}

func (x *Item) bare() bool { return x.Text != "" && x.Vector.F32 == nil && x.Vector.F64 == nil }

// Fill gives a vector to each item that has only a text. They are not checked.
func (m Model) Fill(ctx context.Context, items []Item) error {
	var texts []string
	for i := range items {
		if items[i].bare() {
			texts = append(texts, items[i].Text)
		}
	}
	if len(texts) == 0 {
		return nil
	}
	vectors, err := m.Texts(ctx, texts, embed.Document)
	if err != nil {
		return err
	}
	for i := range items {
		if items[i].bare() {
			items[i].Vector.F32, vectors = vectors[0], vectors[1:]
		}
	}
	return nil
}

// Reuse gives each item that has only a text, and whose ID is stored with the same text,
// the stored vector. That costs a Get of the records that are to be embedded, and another
// one with the vectors of those whose text is the same; an embedder takes longer. The
// function ids leaves out IDs that no record can have, and those that come again.
func Reuse(ctx context.Context, c engine.Collection, items []Item, ids func([]string) []string) error {
	texts := make(map[string]string, len(items)) // by ID, of its last record
	var bare []string
	for i := range items {
		if x := &items[i]; x.bare() {
			texts[x.ID] = x.Text
			bare = append(bare, x.ID)
		}
	}
	same, err := storedWith(ctx, c, ids(bare), texts, false)
	if err != nil || len(same) == 0 {
		return err
	}
	bare = bare[:0]
	for id := range same {
		bare = append(bare, id)
	}
	if same, err = storedWith(ctx, c, bare, texts, true); err != nil {
		return err
	}
	for i := range items {
		x := &items[i]
		if is, ok := same[x.ID]; ok && x.bare() && x.Text == is.Text {
			x.Vector = is.Vector
		}
	}
	return nil
}

// storedWith returns those of the records that are stored with these texts.
func storedWith(ctx context.Context, c engine.Collection, ids []string, texts map[string]string, vectors bool) (map[string]engine.Record, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := c.Get(ctx, ids, vectors)
	if err != nil {
		return nil, err
	}
	same := make(map[string]engine.Record, len(found))
	for _, r := range found {
		if r.Text == texts[r.ID] {
			same[r.ID] = r
		}
	}
	return same, nil
}

// tries is how often the texts of changes are looked at, while other writers change them
// between that and the change.
const tries = 20

// Update changes records. A change with a text, and without a vector, gets the text's
// vector, unless its record has the text already. In a transaction it tries once. What
// is refused is an *engine.RefusedError.
func (m Model) Update(ctx context.Context, c engine.Collection, s engine.Schema, changes []engine.Change) error {
	made := map[string]engine.Vector{} // the vectors of texts
	for range tries {
		ready, err := m.ready(ctx, c, s, changes, made)
		if err != nil {
			return err
		}
		err = c.Update(ctx, ready)
		if m.Memo(ctx) != nil || !overtaken(err) {
			return err
		}
	}
	return ErrOvertaken
}

// ready returns changes with a vector for each text that its record does not have. A
// record that has it already must have it when it is changed. The vectors that were
// made before are in made.
func (m Model) ready(ctx context.Context, c engine.Collection, s engine.Schema, changes []engine.Change, made map[string]engine.Vector) ([]engine.Change, error) {
	var ids []string
	for i := range changes {
		if m.embeds(&changes[i]) {
			ids = append(ids, changes[i].ID)
		}
	}
	if ids == nil {
		return changes, nil
	}
	stored, err := c.Get(ctx, ids, false)
	if err != nil {
		return nil, err
	}
	is := make(map[string]string, len(stored))
	for _, r := range stored {
		is[r.ID] = r.Text
	}
	changes = slices.Clone(changes)
	var texts []string
	for i := range changes {
		ch := &changes[i]
		if !m.embeds(ch) {
			continue
		}
		// A record that is missing is reported, and stored by another it may have
		// another text.
		if text, there := is[ch.ID]; !there || text == *ch.Text {
			ch.Text, ch.Was = nil, ch.Text
		} else if _, known := made[*ch.Text]; !known {
			texts = append(texts, *ch.Text)
			made[*ch.Text] = engine.Vector{}
		}
	}
	var unfit engine.Unmet
	if len(texts) > 0 {
		vectors, err := m.Texts(ctx, texts, embed.Document)
		if err != nil {
			return nil, err
		}
		for i, text := range texts {
			v, err := s.Vector(vectors[i], nil)
			for j := range changes {
				if ch := &changes[j]; err != nil && m.embeds(ch) && *ch.Text == text {
					unfit.Add(j, err)
				}
			}
			made[text] = v
		}
	}
	for i := range changes {
		if ch := &changes[i]; m.embeds(ch) {
			ch.Vector = made[*ch.Text]
		}
	}
	return changes, unfit.Err()
}

// embeds reports whether a change has a text that gets a vector from the embedder.
func (m Model) embeds(ch *engine.Change) bool {
	return m.Embedder != nil && ch.Text != nil && *ch.Text != "" && !ch.HasVector()
}

// ErrOvertaken says that other writers have changed the texts of changes each time.
var ErrOvertaken = fmt.Errorf("%w: %w again and again", engine.ErrConflict, engine.ErrOtherText)

// overtaken reports whether a change was refused because its record has another text by
// now.
func overtaken(err error) bool {
	refused, ok := errors.AsType[*engine.RefusedError](err)
	return ok && slices.ContainsFunc(refused.Records, func(r engine.Refusal) bool { return errors.Is(r.Err, engine.ErrOtherText) })
}
