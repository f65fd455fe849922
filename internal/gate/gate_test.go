package gate_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/gate"
)

func TestCloseWaitsForCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate.Gate
		require.NoError(t, g.Enter())
		closed := make(chan bool, 2)
		go func() { closed <- g.Close() }()
		synctest.Wait()
		require.Empty(t, closed, "a call is under way")
		require.ErrorIs(t, g.Enter(), gate.ErrClosed, "no call begins while Close waits")
		g.EnterAgain() // but one inside the call that it waits for
		g.Leave()
		synctest.Wait()
		require.Empty(t, closed)
		g.Leave()
		require.True(t, <-closed)
		require.False(t, g.Close(), "closed before")
		require.ErrorIs(t, g.Enter(), gate.ErrClosed)
	})
}

func TestSecondCloseWaitsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g gate.Gate
		require.NoError(t, g.Enter())
		closed := make(chan bool, 2)
		for range 2 {
			go func() { closed <- g.Close() }()
		}
		synctest.Wait()
		require.Empty(t, closed)
		g.Leave()
		require.NotEqual(t, <-closed, <-closed, "one of them shut it")
	})
}
