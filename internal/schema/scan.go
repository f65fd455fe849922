package schema

import (
	"context"
	"math"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// Scan says which records are wanted, and in which order.
type Scan struct {
	Filter  filter.Filter // not checked yet
	After   string        // an ID, or with OrderBy a token; "" from the beginning
	Vectors bool
	OrderBy string // a field, or "" and "id" for the ID
	Desc    bool
	Limit   int // 0 for all
}

func (s *Scan) byID() bool { return s.OrderBy == "" || s.OrderBy == "id" }

// pages is a checked Scan on its way through its pages.
type pages struct {
	plan engine.Scan
	page int // how many records a page has
	left int // how many records may still come
	at   int // the place of the field that orders them, -1 without one
}

// plan checks a scan.
func (r *Rules) plan(s Scan) (pages, error) {
	p := pages{page: r.schema.Page(), left: s.Limit, at: -1}
	if s.Limit < 0 {
		return p, BadValue("Limit", "a positive number, or 0 for all", s.Limit)
	}
	if s.Limit == 0 {
		p.left = math.MaxInt
	}
	if s.Vectors {
		p.page = r.schema.VectorPage()
	}
	f, err := r.Filter(s.Filter)
	if err != nil {
		return p, err
	}
	p.plan = engine.Scan{Filter: f, Vectors: s.Vectors}
	if s.byID() {
		p.plan.Order.Desc, p.plan.After = s.Desc, s.After
		return p, filter.CheckString("After", s.After)
	}
	field, err := r.Ordered(s.OrderBy, "to order by")
	if err != nil {
		return p, err
	}
	p.at = r.places[field.Name]
	p.plan.Order = engine.Order{Field: field.Name, Type: field.Type, Desc: s.Desc}
	if s.After != "" {
		err = s.goOn(&p.plan)
	}
	return p, err
}

// Records gives each record of a scan to yield, until that returns false. Each page
// is read by itself.
func (r *Rules) Records(ctx context.Context, s Scan, read func(context.Context, engine.Scan) ([]engine.Record, error), yield func(engine.Record) bool) error {
	p, err := r.plan(s)
	if err != nil {
		return err
	}
	for p.left > 0 {
		p.plan.Limit = min(p.page, p.left)
		page, err := read(ctx, p.plan)
		if err != nil {
			return err
		}
		for _, record := range page {
			if !yield(record) {
				return nil
			}
		}
		p.left -= len(page)
		order := &p.plan.Order
		switch {
		case len(page) == p.plan.Limit:
			last := &page[len(page)-1]
			p.plan.After = last.ID
			if p.at >= 0 && !order.Missing {
				order.After = last.Fields[p.at]
			}
		case p.at >= 0 && !order.Missing:
			order.Missing, order.After, p.plan.After = true, nil, ""
		default:
			return nil
		}
	}
	return nil
}

// Ordered returns a field whose values have an order.
func (r *Rules) Ordered(name, purpose string) (engine.Field, error) {
	f, _, ok := r.Field(name)
	if !ok {
		return f, r.fail(name, "does not exist, %s", purpose)
	}
	switch f.Type {
	case filter.String, filter.Int, filter.Float, filter.Bool, filter.Time:
		return f, nil
	}
	return f, r.fail(name, "is %s, which has no order: want String, Int, Float, Bool or Time %s", f.Type, purpose)
}

// Counted returns a field whose values can be counted: what has an order, and lists of
// that.
func (r *Rules) Counted(name string) (engine.Field, error) {
	const purpose = "to count by"
	if f, _, ok := r.Field(name); ok {
		switch _, list := f.Type.Elem(); {
		case list:
			return f, nil
		case f.Type == filter.JSON:
			return f, r.fail(name, "is JSON, whose values are not counted: want a field of another type %s", purpose)
		}
	}
	return r.Ordered(name, purpose)
}
