package vecwire_test

import (
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// TestIRISSilent opens an address at which something listens and says nothing: it is
// asked once, for as long as connect_timeout says.
func TestIRISSilent(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var asked atomic.Int32
	var kept []net.Conn
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := silent.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			kept = append(kept, c)
		}
	}()
	db, err := vecwire.Open(t.Context(), "iris://app:hidden@"+silent.Addr().String()+"/USER?sslmode=disable&connect_timeout=1")
	require.Nil(t, db)
	var connect *vecwire.ConnectError
	require.ErrorAs(t, err, &connect)
	require.Contains(t, connect.Remedy, "does not answer")
	require.NotContains(t, err.Error(), "hidden")
	require.NoError(t, silent.Close())
	<-ended
	for _, c := range kept {
		_ = c.Close()
	}
	require.EqualValues(t, 1, asked.Load())
}
