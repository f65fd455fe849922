package pgvector

import (
	"math"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/testenv"
	"github.com/vecwire/vecwire/internal/wire"
)

// TestSettings stores and finds values of all types in a database whose settings
// change what they mean, in all ways to send statements, and through a pooler that
// holds settings back.
func TestSettings(t *testing.T) {
	target := testenv.HostilePostgres(t)
	for _, test := range []struct {
		name string
		o    wire.Options
	}{
		{"prepared", wire.Options{URL: target}},
		{"exec", wire.Options{URL: target, ExecMode: pgx.QueryExecModeExec}},
		{"simple", wire.Options{URL: target, ExecMode: pgx.QueryExecModeSimpleProtocol}},
		{"stated", wire.Options{URL: target + "&DateStyle=German&extra_float_digits=0", ExecMode: pgx.QueryExecModeExec}},
		{"pooler", wire.Options{URL: testenv.PgBouncer(t, target), ExecMode: pgx.QueryExecModeExec}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := openDatabase(t, test.o)
			c := create(t, e, engine.Schema{Name: "values_" + test.name, Dim: 3, Element: codec.DOUBLE, FullText: engine.Words, Fields: []engine.Field{
				{Name: "s", Type: filter.String}, {Name: "f", Type: filter.Float}, {Name: "at", Type: filter.Time}, {Name: "b", Type: filter.Bytes},
				{Name: "i", Type: filter.Int}, {Name: "none", Type: filter.String},
			}})
			want := engine.Record{
				ID: `ü\'"日`, Vector: engine.Vector{F64: []float64{0.1 + 0.2, math.Pi * 1e-300, 1e300 / 3}}, Text: `naïve 日本 C:\new "quoted" it's`,
				Fields: []any{`a\nb'ÿ€`, 0.1 + 0.2, time.Date(2026, 3, 4, 5, 6, 7, 123456000, time.UTC), []byte{0, '\\', 255, '\''}, int64(math.MinInt64), nil},
			}
			other := want
			other.ID, other.Fields = "other", []any{"NULL", -0.1, time.Date(1900, 12, 1, 0, 0, 0, 0, time.UTC), []byte{}, int64(1), `\`}
			require.NoError(t, c.Upsert(t.Context(), []engine.Record{want, other}))
			for _, id := range []string{want.ID, other.ID} {
				got, err := c.Get(t.Context(), []string{id}, true)
				require.NoError(t, err)
				require.Len(t, got, 1)
				if id == want.ID {
					require.Equal(t, want, got[0])
				} else {
					require.Equal(t, other, got[0])
				}
			}
			for _, f := range []filter.Filter{
				filter.Eq("s", want.Fields[0]), filter.Eq("f", want.Fields[1]), filter.Eq("at", want.Fields[2]), filter.Eq("b", want.Fields[3]),
				filter.In("s", want.Fields[0], "x"), filter.IsNull("none"), filter.Prefix("s", `a\n`),
			} {
				n, err := c.Count(t.Context(), f)
				require.NoError(t, err)
				require.Equal(t, 1, n, "%v", f)
			}
			hits, err := c.SearchText(t.Context(), []engine.TextSearch{{Text: `日本 \ it's`, K: 3}})
			require.NoError(t, err)
			require.Len(t, hits[0], 2)
			found, err := c.Search(t.Context(), []engine.Search{{Vector: want.Vector, K: 2, Payload: true, Vectors: true}})
			require.NoError(t, err)
			require.Len(t, found[0].Hits, 2)
			n, err := c.Delete(t.Context(), []string{want.ID, other.ID})
			require.NoError(t, err)
			require.Equal(t, 2, n)
		})
	}
}

// TestSettingsOfPool has a pool's owner told what to set.
func TestSettingsOfPool(t *testing.T) {
	target := testenv.HostilePostgres(t)
	cfg, err := pgxpool.ParseConfig(target)
	require.NoError(t, err)
	pool, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	_, err = Use(t.Context(), pool, wire.Options{})
	var connect *engine.ConnectError
	require.ErrorAs(t, err, &connect)
	for _, name := range []string{"array_nulls", "bytea_output", "client_encoding", "datestyle", "extra_float_digits", "standard_conforming_strings"} {
		require.Contains(t, connect.Remedy, name)
		cfg.ConnConfig.RuntimeParams[name] = settings[name]
	}
	fit, err := pgxpool.NewWithConfig(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(fit.Close)
	_, err = Use(t.Context(), fit, wire.Options{})
	require.NoError(t, err)
}
