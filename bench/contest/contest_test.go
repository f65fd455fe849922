package contest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/bench/dataset"
)

// echo answers every query with row 0 to k-1 and does odd things when asked for
// an odd effort.
type echo struct{ rows int }

func (e *echo) Load(_ context.Context, _ Build, base dataset.Matrix) error {
	e.rows = base.Rows()
	return nil
}
func (e *echo) Build(context.Context) error { return nil }
func (e *echo) Version() string             { return "v1" }
func (e *echo) Close() error                { return nil }

func (e *echo) Searcher(variant string) (Searcher, error) {
	if variant == "none" {
		return nil, &SkipError{"no such thing"}
	}
	return new(echoSearcher), nil
}

type echoSearcher struct{ k int }

func (s *echoSearcher) Search(_ context.Context, _ []float32, k, ef int) error {
	switch ef {
	case 1:
		return errors.New("out of order")
	case 2:
		panic("out of mind")
	case 3:
		os.Stderr.WriteString("last words\n")
		os.Exit(7)
	}
	s.k = k
	return nil
}

func (s *echoSearcher) Answer(dst []int32) ([]int32, error) {
	for i := range s.k {
		dst = append(dst, int32(i))
	}
	return dst, nil
}

func TestMain(m *testing.M) {
	if os.Getenv("CONTEST_TEST_SERVES") != "" {
		if err := Serve(context.Background(), new(echo), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func start(t *testing.T) (*Process, Build) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	p, err := Start(t.Context(), []string{"CONTEST_TEST_SERVES=1"}, self)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "x.bvecs")
	row := append([]byte{dataset.Dim, 0, 0, 0}, make([]byte, dataset.Dim)...)
	require.NoError(t, os.WriteFile(path, bytes.Repeat(row, 6), 0o600))
	b := Build{Base: path, Rows: 4, Dim: dataset.Dim, Metric: "l2", Threads: 2, Queries: path}
	return p, b
}

func TestProcess(t *testing.T) {
	p, b := start(t)
	built, err := p.Build(b)
	require.NoError(t, err)
	require.Equal(t, "v1", built.Version)
	for _, threads := range []int{0, 1, 2} {
		found, err := p.Search(Search{First: 1, Count: 5, K: 2, Threads: threads, Rows: true})
		require.NoError(t, err)
		require.Equal(t, [][]int32{{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 1}}, found.Answers)
		require.Len(t, found.Each, 5)
		require.Positive(t, found.Nanos)
	}
	found, err := p.Search(Search{Count: 1, K: 2})
	require.NoError(t, err)
	require.Empty(t, found.Answers)
	require.NoError(t, p.Close())
}

func TestProcessTellsWhatIsWrong(t *testing.T) {
	p, b := start(t)
	_, err := p.Search(Search{Count: 1, K: 2})
	require.ErrorContains(t, err, "queries 0 to 0 of 0")
	missing := b
	missing.Base += ".gone"
	_, err = p.Build(missing)
	require.ErrorContains(t, err, ".gone")
	_, err = p.Build(b)
	require.NoError(t, err)
	_, err = p.Search(Search{Count: 7, K: 2})
	require.ErrorContains(t, err, "queries 0 to 6 of 6")
	_, err = p.Search(Search{Count: 1, K: 2, Variant: "none"})
	var skip *SkipError
	require.ErrorAs(t, err, &skip)
	require.Equal(t, "no such thing", skip.Reason)
	_, err = p.Search(Search{Count: 1, K: 2, Ef: 1})
	require.EqualError(t, err, "out of order")
	_, err = p.Search(Search{Count: 1, K: 2, Ef: 2})
	require.ErrorContains(t, err, "panic: out of mind")
	_, err = p.Search(Search{Count: 1, K: 2})
	require.NoError(t, err, "it goes on")
	_, err = p.Search(Search{Count: 1, K: 2, Ef: 3})
	require.ErrorContains(t, err, "exit status 7")
	require.ErrorContains(t, err, "last words")
	_, err = p.Search(Search{Count: 1, K: 2})
	require.Error(t, err)
}

func TestServeRefusesWhatIsNoRequest(t *testing.T) {
	require.Error(t, Serve(t.Context(), new(echo), bytes.NewBufferString("{\n"), io.Discard))
	var out bytes.Buffer
	require.NoError(t, Serve(t.Context(), new(echo), bytes.NewBufferString("{}\n"), &out))
	var resp Response
	line, err := bufio.NewReader(&out).ReadBytes('\n')
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(line, &resp))
	require.Contains(t, resp.Error, "nothing")
}
