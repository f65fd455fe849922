package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/vecwire/vecwire/bench/results"
)

// TestMain lets the test binary be an engine's process, as the program is.
func TestMain(m *testing.M) {
	err := serveOr(context.Background(), os.Args[1:], func() error {
		os.Exit(m.Run())
		return nil
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestSmoke runs the whole program over few vectors: all engines in Go, those in
// C++ if their environment is there.
func TestSmoke(t *testing.T) {
	out := t.TempDir()
	if err := command(t.Context(), []string{"-smoke", "-out", out}); err != nil {
		t.Fatal(err)
	}
	r, err := results.Read(out)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]results.Result{}
	for _, size := range r.Sizes {
		for _, res := range size.Results {
			got[res.Name] = res
		}
		t.Log(size.Skipped)
	}
	for _, name := range []string{results.OursExact, results.OursSearch, results.OursPayload, results.Chromem, results.SQLiteVec, results.OursExactCosine} {
		if got[name].Recall != 1 {
			t.Errorf("%s: recall %v of an exact search", name, got[name].Recall)
		}
	}
	for _, name := range []string{"benchmarks.md", "benchmarks/percentiles.svg"} {
		if info, err := os.Stat(filepath.Join(out, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
