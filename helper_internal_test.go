package vecwire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// newDocs returns an empty collection in memory.
func newDocs(t *testing.T, s Schema) *Collection {
	t.Helper()
	db, err := Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	s.Name = "docs"
	c, err := db.CreateCollection(t.Context(), s)
	require.NoError(t, err)
	return c
}
