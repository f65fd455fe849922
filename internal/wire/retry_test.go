package wire

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/engine"
)

// answers is a dialect whose errors are what they say.
type answers struct{}

var errConflict, errRefused = errors.New("conflict"), errors.New("refused")

func (answers) Again(err error) Again {
	if errors.Is(err, errConflict) {
		return Conflict
	}
	return Never
}

func (answers) Explain(err error) error { return err }
func (answers) Remedy(error) string     { return "" }
func (answers) Prepare(*pgx.Conn)       {}

// TestRetryLog sees that each retry is in the log, with its reason and the pause
// before it, and how they ended.
func TestRetryLog(t *testing.T) {
	lost := LostError{errors.New("broken pipe")}
	for _, test := range []struct {
		name  string
		most  int
		fails []error
		lines []string // what each line of the log has
		err   error
	}{
		{"none", 0, nil, nil, nil},
		{"succeeds", 0, []error{lost, errConflict}, []string{`again.*attempt=1.*broken pipe.*wait=`, `again.*attempt=2.*conflict.*wait=`, `succeeded.*attempts=3`}, nil},
		{"refused", 0, []error{lost, errRefused}, []string{`again.*attempt=1`, `given up.*attempts=2.*refused`}, errRefused},
		{"refused at once", 0, []error{errRefused}, nil, errRefused},
		{"too many conflicts", 3, []error{errConflict, errConflict, errConflict}, []string{`attempt=1`, `attempt=2`, `given up.*attempts=3`}, errConflict},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			s := &Server{Dialect: answers{}, Target: "postgres://app@db:5432/app", Log: slog.New(slog.NewTextHandler(&out, nil))}
			calls := 0
			err := s.Retry(t.Context(), test.most, func() error {
				if calls++; calls <= len(test.fails) {
					return test.fails[calls-1]
				}
				return nil
			})
			require.ErrorIs(t, err, test.err)
			lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
			if test.lines == nil {
				require.Empty(t, out.String())
				return
			}
			require.Len(t, lines, len(test.lines))
			for i, want := range test.lines {
				require.Regexp(t, want, lines[i])
			}
		})
	}
}

// TestFailureLost has a connection that breaks at the end, and one that its caller ends.
func TestFailureLost(t *testing.T) {
	s := &Server{Dialect: answers{}, Target: "postgres://app@db:5432/app"}
	var connect *engine.ConnectError
	require.ErrorAs(t, s.Failure(LostError{errors.New("broken pipe")}), &connect)
	require.NotEmpty(t, connect.Remedy)
	require.Same(t, connect, s.Failure(connect), "it is not explained twice")
	err := s.Failure(LostError{context.Canceled})
	require.ErrorIs(t, err, context.Canceled)
	require.False(t, errors.As(err, &connect) && errors.Is(connect.Err, err))
}

// TestRetryEndedByContext has the connection closed because the context has ended, and
// an operation that knows of the connection only.
func TestRetryEndedByContext(t *testing.T) {
	s := &Server{Dialect: answers{}, Target: "postgres://app@db:5432/app", Log: slog.New(slog.DiscardHandler)}
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Retry(ctx, 0, func() error {
		cancel()
		return LostError{net.ErrClosed}
	})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, net.ErrClosed)
}
