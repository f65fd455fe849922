package testenv

import (
	"context"
	"log/slog"
)

// Impatient is a logger that ends the patience of what [Soon] runs: an operation
// that waits for its server says in the log that it tries again, and that is the
// moment to stop it. So no clock decides what a test sees.
func Impatient() *slog.Logger { return slog.New(impatient{}) }

// Soon runs f with a context that ends when [Impatient] is told anything with it.
func Soon(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return f(context.WithValue(ctx, patience{}, cancel))
}

// patience is the key of the function that ends a context.
type patience struct{}

// impatient is the handler of the logger. It keeps nothing.
type impatient struct{}

func (impatient) Enabled(context.Context, slog.Level) bool { return true }

func (impatient) Handle(ctx context.Context, _ slog.Record) error {
	if cancel, ok := ctx.Value(patience{}).(context.CancelFunc); ok {
		cancel()
	}
	return nil
}

func (h impatient) WithAttrs([]slog.Attr) slog.Handler { return h }
func (h impatient) WithGroup(string) slog.Handler      { return h }
