package main_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pgvector/pgvector-go"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/pair"
)

// unit returns a random vector of length 1, as an embedding model gives it.
func unit(dim int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	v, sum := make([]float32, dim), 0.0
	for i := range v {
		v[i] = float32(r.NormFloat64())
		sum += float64(v[i]) * float64(v[i])
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(sum))
	}
	return v
}

// sift returns a random vector of whole numbers from 0 to 255, the form of a SIFT descriptor.
func sift(dim int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	v := make([]float32, dim)
	for i := range v {
		v[i] = float32(r.IntN(256))
	}
	return v
}

// data calls f for each vector that the benchmarks of this file use.
func data(b *testing.B, f func(b *testing.B, v []float32)) {
	for _, dim := range []int{128, 768} {
		b.Run(fmt.Sprintf("unit/dim=%d", dim), func(b *testing.B) { f(b, unit(dim)) })
	}
	b.Run("whole/dim=128", func(b *testing.B) { f(b, sift(128)) })
}

func must(b *testing.B, err error) {
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkTextEncode(b *testing.B) {
	data(b, func(b *testing.B, v []float32) {
		var buf []byte
		ours := func() { buf = codec.AppendText(buf[:0], v) }
		b.Run("pgvector-go", func(b *testing.B) {
			p := pgvector.NewVector(v)
			pair.Run(b, ours, func() { _ = p.String() })
		})
		b.Run("json", func(b *testing.B) {
			pair.Run(b, ours, func() {
				_, err := json.Marshal(v)
				must(b, err)
			})
		})
	})
}

func BenchmarkTextParse(b *testing.B) {
	data(b, func(b *testing.B, v []float32) {
		// What the peer prints, so that neither reads its own form.
		text := pgvector.NewVector(v).String()
		raw := []byte(text)
		var buf []float32
		ours := func() {
			var err error
			buf, err = codec.ParseText(buf[:0], text)
			must(b, err)
		}
		b.Run("pgvector-go", func(b *testing.B) {
			pair.Run(b, ours, func() {
				var p pgvector.Vector
				must(b, p.Parse(text))
			})
		})
		b.Run("json", func(b *testing.B) {
			var into []float32
			pair.Run(b, ours, func() { must(b, json.Unmarshal(raw, &into)) })
		})
	})
}

func BenchmarkBinaryEncode(b *testing.B) {
	data(b, func(b *testing.B, v []float32) {
		var buf, theirs []byte
		p := pgvector.NewVector(v)
		pair.Run(b, func() { buf = codec.AppendBinary(buf[:0], v) }, func() {
			var err error
			theirs, err = p.EncodeBinary(theirs[:0])
			must(b, err)
		})
	})
}

func BenchmarkBinaryDecode(b *testing.B) {
	data(b, func(b *testing.B, v []float32) {
		raw := codec.AppendBinary(nil, v)
		var buf []float32
		ours := func() {
			var err error
			buf, err = codec.ParseBinary(buf[:0], raw)
			must(b, err)
		}
		pair.Run(b, ours, func() {
			var p pgvector.Vector
			must(b, p.DecodeBinary(raw))
		})
	})
}
