package expiry_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/expiry"
)

// TestSweeper lets time pass, in a bubble, which fails if a goroutine is left.
func TestSweeper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s expiry.Sweeper
		var sweeps atomic.Int32
		ended := false
		sweep := func(ctx context.Context) {
			if sweeps.Add(1) == 3 { // which lasts until Close
				<-ctx.Done()
				ended = true
			}
		}
		s.Start(sweep)
		s.Start(func(context.Context) { t.Error("a second sweeper") })
		time.Sleep(expiry.Interval - time.Second)
		synctest.Wait()
		require.EqualValues(t, 0, sweeps.Load())
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.EqualValues(t, 1, sweeps.Load())
		time.Sleep(5 * expiry.Interval)
		synctest.Wait()
		require.EqualValues(t, 3, sweeps.Load())
		require.False(t, ended)
		s.Close()
		require.True(t, ended, "Close waits")
		s.Close()
		s.Start(sweep)
		time.Sleep(5 * expiry.Interval)
		synctest.Wait()
		require.EqualValues(t, 3, sweeps.Load())
	})
}
