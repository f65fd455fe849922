package local

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkFollow is what a call pays to see that no process has committed anything,
// and what PRAGMA data_version would take for that.
func BenchmarkFollow(b *testing.B) {
	s := newStore(b)
	create(b, s, testSchema)
	b.Run("watch", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, s.follow(b.Context()))
		}
	})
	b.Run("data_version", func(b *testing.B) {
		conn, err := s.read.Conn(b.Context())
		require.NoError(b, err)
		defer conn.Close()
		ask, err := conn.PrepareContext(b.Context(), "PRAGMA data_version")
		require.NoError(b, err)
		defer ask.Close()
		var n int64
		for b.Loop() {
			require.NoError(b, ask.QueryRow().Scan(&n))
		}
	})
}
