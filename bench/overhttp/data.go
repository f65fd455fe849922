package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/vecwire/vecwire/codec"
)

// data are the records and the queries.
type data struct {
	rows, queries [][]float32
	truth         [][]string // the IDs of the nearest, by query
}

// generate makes vectors around 256 centers, as the texts of a topic are near each other.
func generate(rows, queries int) *data {
	rng := rand.New(rand.NewPCG(1, 1))
	centers := make([][]float32, 256)
	for i := range centers {
		centers[i] = make([]float32, dim)
		for j := range centers[i] {
			centers[i][j] = float32(rng.NormFloat64())
		}
	}
	vectors := func(n int) [][]float32 {
		out := make([][]float32, n)
		for i := range out {
			out[i] = make([]float32, dim)
			for j, x := range centers[rng.IntN(len(centers))] {
				out[i][j] = x + float32(rng.NormFloat64())
			}
		}
		return out
	}
	return &data{rows: vectors(rows), queries: vectors(queries)}
}

func id(row int) string { return fmt.Sprintf("doc-%06d", row) }

// asList is a vector as a list of numbers, with the digits that read back as the same.
func asList(v []float32) []byte {
	out := []byte{'['}
	for i, x := range v {
		if i > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendFloat(out, float64(x), 'g', -1, 32)
	}
	return append(out, ']')
}

// asBase64 is a vector as base64 of its little-endian bytes, in quotes.
func asBase64(v []float32) []byte {
	return strconv.AppendQuote(nil, base64.StdEncoding.EncodeToString(codec.AppendBlob(nil, v)))
}
