package main

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/bench/results"
)

// TestOutside lets the test binary take part as a program from outside.
func TestOutside(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	out := t.TempDir()
	require.NoError(t, command(t.Context(), []string{
		"-smoke", "-out", out, "-only", "^(vecwire, bare graph|habedi/hann|another|missing)$",
		"-go-peer", "habedi/hann=" + self + " serve ann-graph",
		"-peer", "another=" + self + " serve ann-graph",
		"-peer", "missing=" + out + "/missing",
	}))
	r, err := results.Read(out)
	require.NoError(t, err)
	got := map[string]results.Result{}
	for _, res := range r.Sizes[0].Results {
		got[res.Name] = res
	}
	require.Len(t, got, 3)
	for _, name := range []string{"habedi/hann", "another"} {
		require.Equal(t, results.Graph, got[name].Group)
		require.Equal(t, "this commit", got[name].Version)
		require.GreaterOrEqual(t, got[name].Recall, r.Sizes[0].Target)
		require.Len(t, got[name].Rounds, 2)
		require.Equal(t, name == "habedi/hann", got[name].GoPeer)
		require.False(t, got[name].Ours)
	}
	why := map[string]string{}
	for _, skip := range r.Sizes[0].Skipped {
		why[skip.Name] = skip.Reason
	}
	require.Contains(t, why["missing"], "no such file")
	require.Contains(t, why, "Bithack/go-hnsw")
	require.NotContains(t, why, "habedi/hann", "it was there")
}

func TestOutsideRefusesWhatIsNoProgram(t *testing.T) {
	for _, value := range []string{"", "name", "name=", "name= ", "=command"} {
		require.ErrorContains(t, command(t.Context(), []string{"-peer", value}), "want a name", value)
	}
	for _, args := range [][]string{
		{"-peer", "x=a", "-go-peer", "x=b"},
		{"-peer", results.Hnswlib + "=a"},
	} {
		require.ErrorContains(t, command(t.Context(), args), "two engines named")
	}
	o := options{}
	require.NoError(t, o.outside(true)("a b=c -d=e  f"))
	require.Equal(t, "a b", o.programs[0].name)
	require.True(t, slices.ContainsFunc(phases(o)[1], func(c contestant) bool { return c.name == "a b" && c.goPeer }))
}

func TestShell(t *testing.T) {
	require.Equal(t, `-only '^(a|b)$' -peer 'x=it'\''s -y' '' -out a-b_c.d -peer 'x=peers -d data' -data ../a/b`,
		shell([]string{"-only", "^(a|b)$", "-peer", "x=it's -y", "", "-out", "/tmp/a-b_c.d",
			"-peer", "x=/opt/some/peers -d /srv/data", "-data", "../a/b"}))
}
