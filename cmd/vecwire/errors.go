package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

// The exit codes. They are data: docs/cli.md lists them.
const (
	exitFailed      = 1
	exitUsage       = 2   // flags, arguments, a filter
	exitNotFound    = 3   // no database, collection or record of that name
	exitPartly      = 4   // some records were refused, all others are stored
	exitInterrupted = 130 // by Ctrl-C or SIGTERM
)

// usageError says that the program was called in a way that it does not know.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// remedyError adds to an error what the user can do.
type remedyError struct {
	err    error
	remedy string
}

func (e *remedyError) Error() string { return e.err.Error() + "\n" + e.remedy }
func (e *remedyError) Unwrap() error { return e.err }

func remedy(err error, format string, args ...any) error {
	return &remedyError{err, fmt.Sprintf(format, args...)}
}

// errPartly ends a verb whose report has named the records that were refused.
var errPartly = errors.New("some records were refused")

// report prints an error for people and returns the exit code.
func (a *app) report(ctx context.Context, err error) int {
	if err == nil {
		return 0
	}
	code := exitFailed
	_, badFilter := errors.AsType[*vecwire.FilterError](err)
	_, wrongUse := errors.AsType[*usageError](err)
	switch {
	case errors.Is(err, context.Canceled) && ctx.Err() != nil:
		fmt.Fprintln(a.log, "vecwire: interrupted; what was stored is stored, and the same command goes on from there")
		return exitInterrupted
	case errors.Is(err, errPartly):
		return exitPartly
	case wrongUse || badFilter:
		code = exitUsage
	case errors.Is(err, vecwire.ErrNotFound):
		code = exitNotFound
	}
	fmt.Fprintln(a.log, "vecwire:", strings.TrimPrefix(err.Error(), "vecwire: ")) // which the library may have said
	return code
}

func unknownVerb(root *cobra.Command, name string) error {
	if near := root.SuggestionsFor(name); len(near) > 0 {
		return usagef("there is no verb %q: did you mean %s?", name, strings.Join(near, " or "))
	}
	return usagef("there is no verb %q: vecwire help lists them; to search, write vecwire search %q", name, name)
}

// arguments wraps one of cobra's checks, so that what it refuses is wrong usage.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usagef("usage: %s: %v", cmd.UseLine(), err)
		}
		return nil
	}
}

// parseFilter reads the text of a flag.
func parseFilter(text string) (filter.Filter, error) { return parseFilterOf("filter", text) }

// parseFilterOf reads the filter of another flag.
func parseFilterOf(flag, text string) (filter.Filter, error) {
	f, err := filter.Parse(text)
	if err != nil {
		return f, fmt.Errorf("--%s: %w", flag, err)
	}
	return f, nil
}
