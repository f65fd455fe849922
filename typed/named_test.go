package typed_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/typed"
)

type pictured struct {
	ID      string
	Vector  []float32  `vecwire:",dim=2"`
	Picture [3]float32 `vecwire:",named"`
	Sound   []float32  `vecwire:"sound,named,dim=2"`
}

// TestNamedVectors reads what was written, changes one vector, and refuses structs that
// lack a vector or have another dimension.
func TestNamedVectors(t *testing.T) {
	ctx := t.Context()
	db, err := vecwire.Open(ctx, "mem:")
	require.NoError(t, err)
	defer db.Close()
	c, err := typed.Ensure[pictured](ctx, db, "c")
	require.NoError(t, err)
	require.Equal(t, []vecwire.VectorField{{Name: "picture", Dim: 3}, {Name: "sound", Dim: 2}}, c.Schema().Vectors)
	want := []pictured{
		{ID: "1", Vector: []float32{1, 0}, Picture: [3]float32{1, 2, 3}, Sound: []float32{4, 5}},
		{ID: "2", Vector: []float32{1, 0}, Sound: []float32{6, 7}},
		{ID: "3", Vector: []float32{1, 0}},
	}
	require.NoError(t, c.Upsert(ctx, want...))
	got, err := c.Get(ctx, "1", "2", "3")
	require.NoError(t, err)
	require.Equal(t, want, got)
	change, err := c.Change(pictured{ID: "1", Sound: []float32{8, 9}, Vector: []float32{1, 1}}, "sound", "picture")
	require.NoError(t, err)
	require.NoError(t, c.Update(ctx, change))
	got, err = c.Get(ctx, "1")
	require.NoError(t, err)
	require.Equal(t, []pictured{{ID: "1", Vector: []float32{1, 0}, Sound: []float32{8, 9}}}, got)

	type lacking struct {
		ID     string
		Vector []float32
		Sound  []float32 `vecwire:",named"`
	}
	_, err = typed.Of[lacking](c.Collection)
	require.ErrorContains(t, err, `"picture"`)
	type wrong struct {
		ID      string
		Picture [4]float32 `vecwire:",named"`
		Sound   []float32  `vecwire:",named"`
	}
	var dim *vecwire.DimensionError
	_, err = typed.Of[wrong](c.Collection)
	require.ErrorAs(t, err, &dim)
	var broken *typed.StructError
	for _, of := range []func() error{
		func() error {
			_, err := typed.SchemaOf[struct {
				ID string
				X  []float64 `vecwire:",named"`
			}]("x")
			return err
		},
		func() error {
			_, err := typed.SchemaOf[struct {
				ID string
				X  []float32 `vecwire:",named,index"`
			}]("x")
			return err
		},
	} {
		require.ErrorAs(t, of(), &broken)
	}
}
