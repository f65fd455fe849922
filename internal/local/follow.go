package local

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/vecwire/vecwire/internal/ann"
	"github.com/vecwire/vecwire/internal/engine"
)

// Other processes write to the file, too. Every call begins with follow, which sees by
// one look at shared memory that nothing was committed, or else brings the memory of
// all open collections to the last commit. A writer does the same once more when it
// has SQLite's lock and nobody else can write.
//
// Who has following may change what is in memory for a commit. It is taken after the
// writer's turn and SQLite's lock, and before the locks of a collection.

// follow makes sure that the memory has all that was committed before it was called.
func (s *store) follow(ctx context.Context) error {
	if err := s.followOnly(ctx); err != nil || !s.unsettled.Load() {
		return err
	}
	return s.settle(ctx)
}

// followOnly is follow for who has locks that settle takes.
func (s *store) followOnly(ctx context.Context) error {
	if s.upToDate() {
		return nil
	}
	if err := s.following.Acquire(ctx, 1); err != nil {
		return err
	}
	defer s.following.Release(1)
	return explain(s.catchUp(ctx))
}

// Changes implements engine.Engine.
func (s *store) Changes(ctx context.Context) (uint64, error) {
	err := s.follow(ctx)
	return s.foreign.Load(), err
}

// upToDate reports whether nothing was committed that is not in memory.
func (s *store) upToDate() bool { return s.watch == nil || s.watch.is(s.known.Load()) }

// catchUp is follow for who has following.
func (s *store) catchUp(ctx context.Context) error {
	now := s.watch.now() // before the reading begins: what comes after it is seen next time
	if now == *s.known.Load() {
		return nil
	}
	pinned, end, err := s.pin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := s.applyLog(pinned, s.read); err != nil {
		return err
	}
	s.known.Store(&now)
	return nil
}

// applyLog brings all open collections to the state that q reads.
func (s *store) applyLog(ctx context.Context, q queryer) error {
	open := s.openCollections()
	last, err := s.applyAfter(ctx, q, s.seq.Load(), open)
	if err == nil && last > s.seq.Load() {
		s.seq.Store(last)
		s.foreign.Add(1)
	}
	return err
}

// applyAfter brings collections from one commit to the last, which it returns. If the
// table of changes does not go back so far, they are to be loaded again.
func (s *store) applyAfter(ctx context.Context, q queryer, from int64, to []*collection) (last int64, err error) {
	lines, err := q.QueryContext(ctx, "SELECT seq, collection, rows FROM vecwire_changes WHERE seq > ? ORDER BY seq, collection", from)
	if err != nil {
		return 0, err
	}
	defer lines.Close()
	byID := map[int64]*collection{}
	for _, c := range to {
		byID[c.id] = c
	}
	changed := map[*collection][]int32{}
	whole := map[*collection]bool{}
	registry := false
	last = from
	for lines.Next() {
		var seq, id int64
		var rows sql.RawBytes
		if err := lines.Scan(&seq, &id, &rows); err != nil {
			return 0, err
		}
		if seq > last+1 {
			registry = true
			for _, c := range to {
				whole[c] = true
			}
		}
		last = seq
		c := byID[id]
		switch {
		case id == registryLine:
			registry = true
		case c == nil:
		case len(rows) == 0:
			whole[c] = true
		default:
			if changed[c], err = parseRows(changed[c], rows); err != nil {
				return 0, err
			}
		}
	}
	if err := errors.Join(lines.Err(), lines.Close()); err != nil {
		return 0, err
	}
	if registry {
		if err := s.readRegistry(ctx, q, to); err != nil {
			return 0, err
		}
	}
	for c := range whole {
		c.fallBehind()
	}
	for c, rows := range changed {
		if whole[c] || c.isGone() || c.isAsleep() {
			continue
		}
		if err := c.refresh(ctx, q, rows); err != nil {
			return 0, err
		}
	}
	return last, nil
}

// refresh reads rows of a collection again that others have changed. The reader's
// state is that of the last commit to be applied.
func (c *collection) refresh(ctx context.Context, q queryer, rows []int32) error {
	const page = 4096
	for len(rows) > 0 {
		some := rows[:min(page, len(rows))]
		rows = rows[len(some):]
		states, err := c.rowStates(ctx, q, some)
		if err != nil {
			return err
		}
		c.still.Lock()
		c.mu.Lock()
		err = c.index.guard(func() error { return c.replace(states) })
		if errors.Is(err, ann.ErrDamaged) {
			c.distrust(ctx, err)
			err, rows = nil, nil
		}
		c.mu.Unlock()
		c.still.Unlock()
		if err != nil {
			return err
		}
	}
	c.wake()
	return nil
}

// rowState is what a row holds: nothing if it has no ID.
type rowState struct {
	row    int32
	id     string
	vector engine.Vector
}

// rowStates reads rows by their numbers.
func (c *collection) rowStates(ctx context.Context, q queryer, numbers []int32) ([]rowState, error) {
	list, err := json.Marshal(numbers)
	if err != nil {
		return nil, err
	}
	rows, err := q.QueryContext(ctx, fmt.Sprintf(`SELECT n.value, r.id, d.vector FROM json_each(?) n
		LEFT JOIN %s r ON r.%s = n.value LEFT JOIN %s d ON d.%[2]s = n.value`,
		rowsTable(c.schema.Name), rowColumn, dataTable(c.schema.Name)), string(list))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	states := make([]rowState, 0, len(numbers))
	var id sql.NullString
	var blob sql.RawBytes
	for rows.Next() {
		var state rowState
		if err := rows.Scan(&state.row, &id, &blob); err != nil {
			return nil, err
		}
		if state.id = id.String; id.Valid {
			if state.vector, err = c.decodeVector(engine.Vector{}, state.id, blob); err != nil {
				return nil, err
			}
		}
		states = append(states, state)
	}
	return states, rows.Err()
}

func (c *collection) isGone() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.gone
}

// replace puts what rows hold now into the memory. The caller has the collection's
// locks, or alone knows it.
func (c *collection) replace(states []rowState) error {
	if c.gone || c.asleep {
		return nil
	}
	c.touched.Add(1)
	end := c.end
	for _, state := range states {
		row := state.row
		c.end = max(c.end, row+1)
		c.store.payloads.drop(c, row)
		if state.id == "" {
			if c.ids.used(row) {
				c.free = append(c.free, row)
			}
			c.ids.free(row)
			c.index.remove(row)
			continue
		}
		c.ids.put(row, state.id)
		if err := c.index.set(row, state.vector); err != nil {
			return fmt.Errorf("%w: record %q in %q: %w", errDamaged, state.id, c.schema.Name, err)
		}
	}
	for row := end; row < c.end; row++ {
		if !c.ids.used(row) {
			c.free = append(c.free, row)
		}
	}
	c.tidyFree()
	numbers := make([]int32, len(states))
	for i, state := range states {
		numbers[i] = state.row
	}
	c.fields.changed(numbers, c.ids.used)
	c.saved.noted += len(states)
	c.written.Add(int64(len(states)))
	return nil
}

// tidyFree makes the list of free rows again when it has grown beyond what there are:
// rows that another process took are still in it, and come twice when they are free
// again.
func (c *collection) tidyFree() {
	if len(c.free) <= 2*(int(c.end)-c.ids.len())+sparse {
		return
	}
	c.listFree()
}

// listFree makes the list of free rows. The lowest is taken first.
func (c *collection) listFree() {
	c.free = nil // a transaction may have the old list
	for row := c.end - 1; row >= 0; row-- {
		if !c.ids.used(row) {
			c.free = append(c.free, row)
		}
	}
}

// fallBehind says that the collection cannot follow by the changes.
func (c *collection) fallBehind() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.touched.Add(1)
	c.behind = true
	c.store.unsettled.Store(true)
}

// readRegistry looks what other processes have done to the collections themselves.
func (s *store) readRegistry(ctx context.Context, q queryer, open []*collection) error {
	if err := s.readNames(ctx, q); err != nil {
		return err
	}
	for _, c := range open {
		schemas, _, err := readSchemas(ctx, q, "WHERE id = ?", c.id)
		if err != nil {
			return err
		}
		b, err := readIndex(ctx, q, c.schema.Name)
		if err != nil {
			return err
		}
		saved, err := readSaved(ctx, q, c.id)
		if err != nil {
			return err
		}
		c.still.Lock()
		c.mu.Lock()
		switch {
		case c.gone:
		case len(schemas) == 0 || !sameSchema(schemas[0], c.schema):
			// Dropped, or renamed: then it is another one to those who have it. Or altered.
			c.touched.Add(1)
			c.gone, c.altered = true, len(schemas) > 0 && fold(schemas[0].Name) == fold(c.schema.Name)
			s.unsettled.Store(true)
		case c.hasOtherIndex(b, saved.tag):
			c.otherIndex.Store(true)
			s.unsettled.Store(true)
		}
		if len(schemas) > 0 {
			c.declined.Store(schemas[0].Index == engine.NoIndex)
		}
		c.mu.Unlock()
		c.still.Unlock()
	}
	return nil
}

// readNames reads the names of the collections.
func (s *store) readNames(ctx context.Context, q queryer) error {
	rows, err := q.QueryContext(ctx, "SELECT name FROM vecwire_collections")
	if err != nil {
		return err
	}
	defer rows.Close()
	names := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		names[fold(name)] = true
	}
	s.maps.Lock()
	s.names = names
	s.maps.Unlock()
	return rows.Err()
}

// sameSchema compares what the registry keeps.
func sameSchema(a, b engine.Schema) bool {
	return a.Name == b.Name && a.Dim == b.Dim && a.Element == b.Element && a.Metric == b.Metric && a.Model == b.Model && a.Codes == b.Codes &&
		a.FullText == b.FullText && a.SameVectors(b) && slices.EqualFunc(a.Fields, b.Fields, engine.Field.Equal)
}

// hasOtherIndex reports whether the registry names another index than the one in
// memory, or has a snapshot of one that is not whole here. The caller has the
// collection's locks.
func (c *collection) hasOtherIndex(b *built, snapshot string) bool {
	if (b == nil) != (c.hnsw == nil) || b != nil && b.id != c.hnsw.id {
		return true
	}
	if snapshot == c.saved.tag {
		return false
	}
	c.saved.tag, c.saved.noted = snapshot, 0 // but for what was changed since, which is little
	return b != nil && !c.hnsw.whole
}

// settle does what is left to do after others have changed collections, which takes
// longer, and needs locks that come before following.
func (s *store) settle(ctx context.Context) error {
	if !s.unsettled.Swap(false) {
		return nil
	}
	for _, c := range s.openCollections() {
		c.mu.RLock()
		gone, behind := c.gone, c.behind
		c.mu.RUnlock()
		var err error
		switch {
		case gone:
			s.letGo(c)
		case c.isAsleep():
		case behind || c.otherIndex.Load():
			err = c.reload(ctx)
		}
		if ctx.Err() != nil {
			s.unsettled.Store(true)
			return ctx.Err()
		}
		if err != nil { // a call that needs the collection finds it behind, and tries again
			s.log.WarnContext(ctx, "a collection that another process has changed could not be loaded again", "collection", c.schema.Name, "err", err)
		}
	}
	return nil
}

// settled makes sure that no open collection is behind, for a writer, who changes any
// of them.
func (s *store) settled(ctx context.Context) error {
	for _, c := range s.openCollections() {
		if c.isAsleep() {
			continue
		}
		if err := c.reloadIfBehind(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (s *store) anyBehind() bool {
	for _, c := range s.openCollections() {
		if c.isBehind() && !c.isAsleep() {
			return true
		}
	}
	return false
}

func (c *collection) isBehind() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.behind && !c.gone
}

func (c *collection) reloadIfBehind(ctx context.Context) error {
	if !c.isBehind() {
		return nil
	}
	return c.reload(ctx)
}

// letGo ends a collection that another process has dropped or renamed, now or when
// whoever changes its links has seen that its life is over.
func (s *store) letGo(c *collection) {
	c.endLife()
	if !c.indexing.TryAcquire(1) {
		s.unsettled.Store(true)
		return
	}
	c.indexing.Release(1)
	s.shut(c)
}

// openCollections returns the open collections.
func (s *store) openCollections() []*collection {
	s.maps.Lock()
	defer s.maps.Unlock()
	open := make([]*collection, 0, len(s.open))
	for _, c := range s.open {
		open = append(open, c)
	}
	return open
}
