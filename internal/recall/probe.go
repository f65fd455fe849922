package recall

import (
	"context"
	"iter"
)

// Source is where a probe finds its queries, and who answers them.
type Source struct {
	// IDs are those of all records that may be drawn.
	IDs iter.Seq2[string, error]
	// Read returns the records with these IDs that have a vector, in their order.
	Read func(ctx context.Context, ids []string) ([]Record, error)
	// Answer answers the query for a vector.
	Answer func(ctx context.Context, v Record, how How) (Answer, error)
}

// Record is a record's vector, in the form that it has; the ID is "" for a vector of the
// caller's.
type Record struct {
	ID  string
	F32 []float32
	F64 []float64
}

// Choice says what a probe asks: for these vectors, for those of the records with these
// IDs, or else for those of a sample.
type Choice struct {
	Queries    [][]float32
	IDs        []string
	Sample     int
	Directions bool // the lengths of vectors do not count
	Seed       uint64
}

// Probe is what the recall of a collection is measured with.
type Probe struct {
	source  Source
	choice  Choice
	records []Record
	own     bool     // the vectors are the caller's
	more    []string // more records that were drawn, whose vectors have not been read
}

// NewProbe chooses what to measure with.
func NewProbe(ctx context.Context, s Source, c Choice) (*Probe, error) {
	p := &Probe{source: s, choice: c, own: c.Queries != nil}
	if p.own {
		for _, v := range c.Queries {
			p.records = append(p.records, Record{F32: v})
		}
		return p, nil
	}
	ids := c.IDs
	if ids == nil {
		drawn, err := Sample(s.IDs, Pool(c.Sample), c.Seed)
		if err != nil {
			return nil, err
		}
		n := min(c.Sample, len(drawn))
		ids, p.more = drawn[:n], drawn[n:]
	}
	return p, p.read(ctx, ids)
}

func (p *Probe) read(ctx context.Context, ids []string) error {
	found, err := p.source.Read(ctx, ids)
	p.records = append(p.records, found...)
	return err
}

func (p *Probe) search(ctx context.Context, at int, how How) (Answer, error) {
	return p.source.Answer(ctx, p.records[at], how)
}

// Record returns the ID of the record whose vector a query at a place has, "" for a
// vector of the caller's, and the place of that one, else 0.
func (p *Probe) Record(at int) (id string, query int) {
	if p.own {
		return "", at
	}
	return p.records[at].ID, 0
}

// Measure compares the answers.
func (p *Probe) Measure(ctx context.Context) (Report, error) {
	drawn := Drawn{N: len(p.records), Directions: p.choice.Directions, Seed: p.choice.Seed}
	drawn.Vectors = func(ctx context.Context) ([][]float64, error) {
		more := p.more
		p.more = nil
		if err := p.read(ctx, more); err != nil {
			return nil, err
		}
		vectors := make([][]float64, len(p.records))
		for i, r := range p.records {
			vectors[i] = Vector(r.F32, r.F64)
		}
		return vectors, nil
	}
	return Measure(ctx, drawn, p.search)
}

// Tune finds the smallest effort that reaches a goal.
func (p *Probe) Tune(ctx context.Context, g Goal) (Tuning, error) {
	return Tune(ctx, len(p.records), g, p.search)
}
