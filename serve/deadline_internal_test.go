package serve

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

type aKey struct{}

// TestDeadlineIsThatOfPackageContext holds a deadline against context.WithTimeout's, asked
// for its error first and waited for first.
func TestDeadlineIsThatOfPackageContext(t *testing.T) {
	for name, ask := range map[string]func(context.Context) error{
		"its error": func(ctx context.Context) error { time.Sleep(2 * time.Second); return ctx.Err() },
		"its end":   func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"a child's": func(ctx context.Context) error {
			child, cancel := context.WithCancel(ctx)
			defer cancel()
			<-child.Done()
			return child.Err()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ofRequest, cancel := context.WithCancel(context.WithValue(t.Context(), aKey{}, "kept"))
				defer cancel()
				d := &deadline{Context: ofRequest, at: time.Now().Add(time.Second)}
				defer d.end()
				at, ok := d.Deadline()
				require.True(t, ok)
				require.Equal(t, time.Now().Add(time.Second), at)
				require.NoError(t, d.Err())
				require.Equal(t, context.DeadlineExceeded, ask(d))
				require.Equal(t, context.DeadlineExceeded, d.Err())
				require.Equal(t, "kept", d.Value(aKey{}))
				<-d.Done()
			})
			synctest.Test(t, func(t *testing.T) {
				ofRequest, cancel := context.WithCancel(t.Context())
				d := &deadline{Context: ofRequest, at: time.Now().Add(time.Hour)}
				cancel() // as net/http does when the client has gone
				require.Equal(t, context.Canceled, ask(d))
			})
		})
	}
}

// TestDeadlineNeedsNoGoroutine has a child of a deadline end with it, without a goroutine
// that waits for that.
func TestDeadlineNeedsNoGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &deadline{Context: t.Context(), at: time.Now().Add(time.Hour)}
		before := runtime.NumGoroutine()
		child, cancel := context.WithCancel(d)
		defer cancel()
		require.Equal(t, before, runtime.NumGoroutine())
		d.end()
		<-child.Done()
		require.Equal(t, context.Canceled, child.Err())
	})
}
