package vecwire_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/enginetest"
)

// wrong is an engine that does a few things wrong.
type wrong struct {
	engine.Engine
	drop       func(context.Context, string) error
	claims     engine.Can
	collection func(engine.Collection) engine.Collection
}

func (w wrong) Capabilities() engine.Capabilities {
	caps := w.Engine.Capabilities()
	caps.Can = w.claims
	return caps
}

func (w wrong) Create(ctx context.Context, s engine.Schema) (engine.Collection, error) {
	c, err := w.Engine.Create(ctx, s)
	if err != nil || w.collection == nil {
		return c, err
	}
	return w.collection(c), nil
}

func (w wrong) Open(ctx context.Context, name string) (engine.Collection, error) {
	c, err := w.Engine.Open(ctx, name)
	if err != nil || w.collection == nil {
		return c, err
	}
	return w.collection(c), nil
}

func (w wrong) Drop(ctx context.Context, name string) error {
	if w.drop == nil {
		return w.Engine.Drop(ctx, name)
	}
	return w.drop(ctx, name)
}

type farthestFirst struct{ engine.Collection }

func (c farthestFirst) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	results, err := c.Collection.Search(ctx, searches)
	for _, r := range results {
		slices.Reverse(r.Hits)
	}
	return results, err
}

type findsNothing struct{ engine.Collection }

func (c findsNothing) Search(ctx context.Context, searches []engine.Search) ([]engine.Result, error) {
	return make([]engine.Result, len(searches)), ctx.Err()
}

type losesTheLast struct{ engine.Collection }

func (c losesTheLast) Upsert(ctx context.Context, records []engine.Record) error {
	return c.Collection.Upsert(ctx, records[:len(records)-1])
}

type miscounts struct{ engine.Collection }

func (c miscounts) Count(ctx context.Context, f filter.Filter) (int, error) {
	n, err := c.Collection.Count(ctx, f)
	return n + 1, err
}

type getsNothing struct{ engine.Collection }

func (c getsNothing) Get(ctx context.Context, _ []string, _ bool) ([]engine.Record, error) {
	return nil, ctx.Err()
}

// wrongEngines are wrong in one way each, which some theme of the suite is about.
var wrongEngines = map[string]struct {
	of    func(engine.Engine) engine.Engine
	theme string
}{
	"farthest first": {func(e engine.Engine) engine.Engine {
		return wrong{Engine: e, collection: func(c engine.Collection) engine.Collection { return farthestFirst{c} }}
	}, "Search"},
	"finds nothing": {func(e engine.Engine) engine.Engine {
		return wrong{Engine: e, collection: func(c engine.Collection) engine.Collection { return findsNothing{c} }}
	}, "Search"},
	"loses the last": {func(e engine.Engine) engine.Engine {
		return wrong{Engine: e, collection: func(c engine.Collection) engine.Collection { return losesTheLast{c} }}
	}, "Upsert"},
	"miscounts": {func(e engine.Engine) engine.Engine {
		return wrong{Engine: e, collection: func(c engine.Collection) engine.Collection { return miscounts{c} }}
	}, "Reading"},
	"gets nothing": {func(e engine.Engine) engine.Engine {
		return wrong{Engine: e, collection: func(c engine.Collection) engine.Collection { return getsNothing{c} }}
	}, "Reading"},
	"keeps what is dropped": {func(e engine.Engine) engine.Engine {
		return wrong{Engine: e, drop: func(context.Context, string) error { return nil }}
	}, "Lifecycle"},
	"refuses to drop": {func(e engine.Engine) engine.Engine {
		return wrong{Engine: e, drop: func(context.Context, string) error { return errors.New("no") }}
	}, "Lifecycle"},
	"claims what it lacks": {func(e engine.Engine) engine.Engine {
		return wrong{Engine: e, claims: engine.Can{
			Transactions: true, Attach: true, Swap: true, AtomicBatches: true, Insert: true, Merge: true, FullText: true,
			Effort: true, Indexes: true, CompressedIndexes: true,
		}}
	}, "Reembed"},
}

const wrongEngine = "VECWIRE_TEST_WRONG_ENGINE"

// TestSuiteOnWrongEngine is what TestWrongEngines runs as a process of its own.
func TestSuiteOnWrongEngine(t *testing.T) {
	w, ok := wrongEngines[os.Getenv(wrongEngine)]
	if !ok {
		t.Skip("run by TestWrongEngines")
	}
	enginetest.Run(t, enginetest.Target{Light: true, Open: func(t testing.TB) *vecwire.DB { return openBare(t, w.of) }})
}

// TestWrongEngines has the conformance suite meet engines that are wrong: it must
// fail in the theme that is about it, and neither panic nor run without end.
func TestWrongEngines(t *testing.T) {
	t.Parallel()
	for name, w := range wrongEngines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if testing.Short() && name != "claims what it lacks" && name != "keeps what is dropped" {
				t.Skip("the other two are the likeliest to go wrong")
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestSuiteOnWrongEngine$", "-test.short", "-test.v", "-test.timeout=2m")
			cmd.Env = append(os.Environ(), wrongEngine+"="+name)
			out, err := cmd.CombinedOutput()
			exit, ok := errors.AsType[*exec.ExitError](err)
			require.True(t, ok, "the suite passes: %v", err)
			says := func(line string) bool { return regexp.MustCompile(line).Match(out) }
			if exit.ExitCode() != 1 || says(`(?m)^(panic|fatal error): `) || !says(`=== RUN +TestSuiteOnWrongEngine/Closing`) {
				t.Fatalf("the suite did not come to its end: %s", out)
			}
			require.True(t, says("--- FAIL: TestSuiteOnWrongEngine/"+w.theme+" "), "the theme %s passes", w.theme)
		})
	}
}
