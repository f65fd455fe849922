// Package peer holds the engines of the benchmark that are written in Go, ours
// and others: each behind the small interface of package contest, with nothing
// around the library's own calls.
package peer

import (
	"context"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/dataset"
	"github.com/vecwire/vecwire/codec"
)

// The parameters that every graph is built with.
const (
	graphM              = 16
	graphEfConstruction = 200
)

var engines = map[string]func() contest.Engine{
	"ann-exact":     func() contest.Engine { return new(arena) },
	"ann-graph":     func() contest.Engine { return new(graph) },
	"vecwire":       func() contest.Engine { return new(collection) },
	"vecwire-graph": func() contest.Engine { return &collection{index: true} },
	"chromem":       func() contest.Engine { return new(chromemEngine) },
	"coder":         func() contest.Engine { return new(coderEngine) },
	"sqlitevec":     func() contest.Engine { return new(sqliteVec) },
	"memory":        func() contest.Engine { return new(memory) },
	"postgres":      func() contest.Engine { return new(postgres) },
	"iris":          func() contest.Engine { return new(iris) },
}

// New returns a new engine of the given name.
func New(name string) (contest.Engine, error) {
	if f, ok := engines[name]; ok {
		return f(), nil
	}
	return nil, fmt.Errorf("no engine %q; there are %v", name, slices.Sorted(maps.Keys(engines)))
}

// version returns the version of a module that the program is built with.
func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, m := range info.Deps {
		if m.Path == module {
			return m.Version
		}
	}
	return ""
}

// metricOf returns the metric of a request, if it is one of those that can.
func metricOf(b contest.Build, can ...codec.Metric) (codec.Metric, error) {
	for _, m := range can {
		if m.String() == b.Metric {
			return m, nil
		}
	}
	return 0, &contest.SkipError{Reason: "it cannot search under " + b.Metric}
}

// rowsOf returns the row numbers that IDs stand for.
func rowsOf[T any](dst []int32, hits []T, id func(T) string) ([]int32, error) {
	for _, h := range hits {
		var row int32
		if _, err := fmt.Sscan(id(h), &row); err != nil {
			return dst, fmt.Errorf("ID %q: %w", id(h), err)
		}
		dst = append(dst, row)
	}
	return dst, nil
}

// loaded is what most engines remember between Load and Build.
type loaded struct {
	build contest.Build
	base  dataset.Matrix
}

func (l *loaded) Load(_ context.Context, b contest.Build, base dataset.Matrix) error {
	l.build, l.base = b, base
	return nil
}

func (l *loaded) Close() error { return nil }
