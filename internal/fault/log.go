package fault

import (
	"context"
	"log/slog"
)

// Log returns a logger whose handler may panic: what it was to write is lost then, and
// the call goes on. Much is logged by goroutines of this module, and under its locks. For
// nil it returns a logger that writes nothing.
func Log(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(handler{l.Handler()})
}

// handler is a caller's handler.
type handler struct{ inner slog.Handler }

func (h handler) Enabled(ctx context.Context, level slog.Level) (enabled bool) {
	_ = Guard("the log", func() error {
		enabled = h.inner.Enabled(ctx, level)
		return nil
	})
	return enabled
}

func (h handler) Handle(ctx context.Context, r slog.Record) error {
	return Guard("the log", func() error { return h.inner.Handle(ctx, r) })
}

func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.with(func() slog.Handler { return h.inner.WithAttrs(attrs) })
}

func (h handler) WithGroup(name string) slog.Handler {
	return h.with(func() slog.Handler { return h.inner.WithGroup(name) })
}

// with returns what with returns, or h if that panics.
func (h handler) with(with func() slog.Handler) slog.Handler {
	next := h.inner
	_ = Guard("the log", func() error {
		next = with()
		return nil
	})
	return handler{next}
}
