package local

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// A file that lacks what was committed is not closed without a word.
func TestCloseTellsWhatIsNotInTheFile(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(t *testing.T, s *store)
		want  []string
	}{
		"snapshot": {func(t *testing.T, s *store) {
			_, err := s.write.Exec("CREATE TRIGGER no BEFORE INSERT ON vecwire_snapshots BEGIN SELECT RAISE(ABORT, 'no room'); END")
			require.NoError(t, err)
		}, []string{"the snapshot of docs", "no room", "no record is lost"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := openStore(t, filepath.Join(t.TempDir(), "test.db"))
			c := create(t, s, testSchema)
			var records []engine.Record
			for i := range 50 {
				records = append(records, engine.Record{ID: fmt.Sprint(i), Vector: engine.Vector{F32: []float32{1, 2, 3, float32(i)}}, Fields: make([]any, 2)})
			}
			require.NoError(t, c.Upsert(t.Context(), records))
			require.NoError(t, c.BuildIndex(t.Context(), engine.IndexPlan{M: 8, EfConstruction: 32}))
			tc.spoil(t, s)
			require.NoError(t, c.Upsert(t.Context(), records[:7]))
			err := s.Close()
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

// A store that is closed is its file alone.
func TestClosedStoreHasNoLog(t *testing.T) {
	path := fullStore(t)
	require.NoFileExists(t, path+"-wal")
}
