package local

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
)

// foundIn returns the IDs of what a search finds.
func foundIn(t *testing.T, c engine.Collection) (ids []string) {
	t.Helper()
	results, err := c.Search(t.Context(), []engine.Search{{Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, K: 10, Payload: true}})
	require.NoError(t, err)
	for _, h := range results[0].Hits {
		ids = append(ids, h.ID)
	}
	slices.Sort(ids)
	return ids
}

// TestReadersGoOnWhileTheDiskIsWaitedFor holds a commit up where it waits for the disk.
// Until it is done, searches, counts and gets answer from the commit before, here and in
// another process, and all at once afterwards.
func TestReadersGoOnWhileTheDiskIsWaitedFor(t *testing.T) {
	s := newStore(t)
	c := create(t, s, testSchema)
	other, err := openStore(t, s.path).Open(t.Context(), testSchema.Name)
	require.NoError(t, err)
	record := func(id string) engine.Record {
		return engine.Record{ID: id, Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Text: id, Fields: make([]any, 2)}
	}
	require.NoError(t, c.Upsert(t.Context(), []engine.Record{record("a"), record("b")}))

	waits, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	sync := s.durable.systemSync
	s.durable.systemSync = func(tls *libc.TLS, file uintptr, flags int32) int32 {
		once.Do(func() { close(waits) })
		<-goOn
		return sync(tls, file, flags)
	}
	done := make(chan error)
	go func() {
		done <- s.Tx(t.Context(), func(ctx context.Context) error {
			_, err := c.Delete(ctx, []string{"a"})
			return errors.Join(err, c.Upsert(ctx, []engine.Record{record("c")}))
		})
	}()
	<-waits
	for _, c := range []engine.Collection{c, other} {
		require.Equal(t, []string{"a", "b"}, foundIn(t, c))
		n, err := c.Count(t.Context(), filter.Filter{})
		require.NoError(t, err)
		require.Equal(t, 2, n)
		got, err := c.Get(t.Context(), []string{"a", "c"}, true)
		require.NoError(t, err)
		require.Len(t, got, 1)
		require.Equal(t, "a", got[0].Text)
	}
	close(goOn)
	require.NoError(t, <-done)
	for _, c := range []engine.Collection{c, other} {
		require.Equal(t, []string{"b", "c"}, foundIn(t, c))
	}
}

// TestTheDiskFailsACommit has the disk refuse what a commit waits for: nothing is changed,
// for anybody, and the next commit goes through.
func TestTheDiskFailsACommit(t *testing.T) {
	s := newStore(t)
	c := create(t, s, testSchema)
	write := func(id string) error {
		return c.Upsert(t.Context(), []engine.Record{{ID: id, Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Fields: make([]any, 2)}})
	}
	require.NoError(t, write("a"))
	sync := s.durable.systemSync
	s.durable.systemSync = func(*libc.TLS, uintptr, int32) int32 { return sqlite3.SQLITE_IOERR_FSYNC }
	require.ErrorContains(t, write("b"), "the disk failed")
	require.Equal(t, []string{"a"}, foundIn(t, c))
	s.durable.systemSync = sync
	require.NoError(t, write("c"))
	require.Equal(t, []string{"a", "c"}, foundIn(t, c))
	require.NoError(t, s.Close())
	again, err := openStore(t, s.path).Open(t.Context(), testSchema.Name)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c"}, foundIn(t, again))
}

// TestTheLogIsWrittenIntoTheFile stores more than SQLite's log is to hold.
func TestTheLogIsWrittenIntoTheFile(t *testing.T) {
	s := newStore(t)
	c := create(t, s, testSchema)
	text := strings.Repeat("x", 100<<10)
	for i := range 200 { // 26 pages each
		require.NoError(t, c.Upsert(t.Context(), []engine.Record{{ID: "a", Vector: engine.Vector{F32: []float32{1, 2, 3, 4}}, Text: text[i:], Fields: make([]any, 2)}}))
		require.Less(t, s.watch.now().pages(), uint32(2*logPages))
	}
}
