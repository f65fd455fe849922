package live

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// TestAlone: an alteration runs beside no call. A call that lasts long, and makes
// calls itself, does not keep the others waiting for good.
func TestAlone(t *testing.T) {
	ctx := t.Context()
	l := &Collection{}
	require.NoError(t, l.Enter(ctx))
	running, done := make(chan struct{}), make(chan error, 1)
	go func() {
		done <- l.Alone(ctx, func() error {
			close(running)
			return nil
		})
	}()
	for shut := false; !shut; {
		l.mu.Lock()
		shut = l.shut != nil
		l.mu.Unlock()
	}
	require.NoError(t, l.Enter(ctx), "within the call that lasts")
	l.Leave()
	select {
	case <-running:
		t.Fatal("it runs beside a call")
	default:
	}
	l.Leave()
	<-running
	require.NoError(t, <-done)

	require.NoError(t, l.Enter(ctx))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, l.Alone(cancelled, func() error { panic("it runs beside a call") }), context.Canceled)
	l.Leave()
	require.NoError(t, l.Alone(ctx, func() error {
		require.ErrorIs(t, l.Enter(cancelled), context.Canceled, "nobody enters beside it")
		require.ErrorIs(t, l.Alone(cancelled, func() error { panic("two at once") }), context.Canceled)
		return nil
	}))
	require.NoError(t, l.Enter(ctx))
	l.Leave()
	var none *Collection
	require.NoError(t, none.Enter(ctx))
	none.Leave()
}

// small is an engine with one collection, which others alter.
type small struct {
	engine.Engine
	is *made
}

func (e small) Open(context.Context, string) (engine.Collection, error) {
	if e.is == nil {
		return nil, engine.ErrNotFound
	}
	return e.is, nil
}

type made struct {
	engine.Collection
	altered bool
}

func (c *made) Schema() engine.Schema { return engine.Schema{Name: "docs"} }

func (c *made) Altered(context.Context) (bool, error) { return c.altered, nil }

// TestNames: a name is folded, a collection that was dropped shares nothing with a later
// one, and one that others have altered is opened again.
func TestNames(t *testing.T) {
	ctx := t.Context()
	var names Names
	is, now := names.Seen("docs")
	require.Nil(t, is)
	require.Nil(t, now)
	c := names.Of("Docs")
	require.Same(t, c, names.Of("docs"))
	require.NoError(t, names.Follow(ctx, small{}.Open), "nobody has opened it yet")

	var before engine.Collection = &made{}
	require.True(t, c.First(&before))
	require.False(t, c.First(&before))
	after := &made{}
	require.NoError(t, names.Follow(ctx, small{is: after}.Open))
	require.Same(t, &before, c.Now(), "it was not altered")
	before.(*made).altered = true
	require.ErrorIs(t, c.Follow(ctx, small{}.Open), engine.ErrNotFound)
	require.NoError(t, names.Follow(ctx, small{}.Open), "one that is gone says so itself")
	require.NoError(t, names.Follow(ctx, small{is: after}.Open))
	require.Same(t, after, *c.Now())

	names.Rename("docs", "other", c)
	require.Same(t, c, names.Of("OTHER"))
	require.NotSame(t, c, names.Of("docs"))
	names.Forget("other")
	require.NotSame(t, c, names.Of("other"))
	names.Rename("other", "docs", c)
	require.NotSame(t, c, names.Of("docs"), "it has no name any more")
}
