package local

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

const (
	// lateFilters is with how many of the filters of earlier searches one is compared.
	lateFilters = 8
	// mostTogether is how many searches go through the rows together at most: the memory
	// of each is kept until all of them are done, and more gain nothing.
	mostTogether = 64
)

// filtered is those of several searches that have one filter.
type filtered struct {
	filter  filter.Filter
	numbers []int
}

// byFilter groups searches by their filters. Searches that are made together mostly have
// the same one: that of a namespace, or of a user's choice.
func byFilter(searches []engine.Search) (groups []filtered) {
	for i := range searches {
		f := searches[i].Filter
		late := groups[max(0, len(groups)-lateFilters):]
		at := slices.IndexFunc(late, func(g filtered) bool { return g.filter.Equal(f) })
		if at < 0 {
			groups = append(groups, filtered{filter: f, numbers: []int{i}})
			continue
		}
		late[at].numbers = append(late[at].numbers, i)
	}
	return groups
}

// searchMany answers several searches on as many processors as there are. The rows that
// a filter lets pass are found once for all searches that have it.
func (c *collection) searchMany(ctx context.Context, searches []engine.Search, results []engine.Result) error {
	workers := runtime.GOMAXPROCS(0)
	group, ctx := errgroup.WithContext(ctx)
	var jobs []func() error
	for _, g := range byFilter(searches) {
		together, alone := c.split(searches, g.numbers)
		share := min(mostTogether, max(1, (len(together)+workers-1)/workers))
		p := newPassing(func() (*ann.Bitmap, func(), error) { return c.allowed(ctx, g.filter) })
		for numbers := range slices.Chunk(together, share) {
			jobs = append(jobs, p.among(func(allowed *ann.Bitmap) error {
				return c.searchTogether(ctx, searches, results, numbers, allowed)
			}))
		}
		for _, n := range alone {
			jobs = append(jobs, p.among(func(allowed *ann.Bitmap) (err error) {
				results[n], err = c.searchAmong(ctx, &searches[n], allowed)
				return err
			}))
		}
	}
	var begun atomic.Int64
	work := func() error {
		for {
			n := int(begun.Add(1)) - 1
			if n >= len(jobs) {
				return nil
			}
			if err := jobs[n](); err != nil {
				return err
			}
			jobs[n] = nil // and with it the rows that pass
		}
	}
	for range min(workers, len(jobs)) {
		group.Go(func() error { return c.index.guard(work) })
	}
	return group.Wait()
}

// split returns which of the searches look at all rows from the best on, and so may go
// through them together, and which have to go alone.
func (c *collection) split(searches []engine.Search, numbers []int) (together, alone []int) {
	for _, n := range numbers {
		if s := &searches[n]; s.After != nil || c.walks(s) {
			alone = append(alone, n)
		} else {
			together = append(together, n)
		}
	}
	return together, alone
}

// searchTogether answers those of the searches that have these numbers, which look
// at all rows that are allowed.
func (c *collection) searchTogether(ctx context.Context, searches []engine.Search, results []engine.Result, numbers []int, allowed *ann.Bitmap) error {
	some := make([]engine.Search, len(numbers))
	for i, n := range numbers {
		some[i] = searches[n]
	}
	found, err := c.index.searchMany(ctx, some, allowed)
	if err != nil {
		return err
	}
	for i, n := range numbers {
		if results[n], err = c.result(ctx, &some[i], found[i], c.scanned(&some[i], countOf(allowed))); err != nil {
			return err
		}
	}
	return nil
}

// passing is the rows that a filter lets pass. The first job that needs them finds them,
// and the last one gives them back.
type passing struct {
	rows func() (*ann.Bitmap, error)
	done func()
	left atomic.Int64 // how many jobs need them
}

func newPassing(find func() (rows *ann.Bitmap, done func(), err error)) *passing {
	p := &passing{}
	p.rows = sync.OnceValues(func() (rows *ann.Bitmap, err error) {
		rows, p.done, err = find()
		return rows, err
	})
	return p
}

// among returns a job that is done with the rows.
func (p *passing) among(f func(rows *ann.Bitmap) error) func() error {
	p.left.Add(1)
	return func() error {
		rows, err := p.rows()
		if err != nil {
			return err
		}
		if err := f(rows); err != nil {
			return err
		}
		if p.left.Add(-1) == 0 {
			p.done()
		}
		return nil
	}
}
