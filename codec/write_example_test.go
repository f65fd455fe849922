package codec_test

import (
	"bytes"
	"fmt"
	"iter"

	"github.com/vecwire/vecwire/codec"
)

// rows streams vectors, as a file or a query would.
func rows(vectors ...[]float32) iter.Seq2[[]float32, error] {
	return func(yield func([]float32, error) bool) {
		for _, v := range vectors {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func ExampleWriteFvecs() {
	var file bytes.Buffer
	fmt.Println(codec.WriteFvecs(&file, rows([]float32{1, 2.5}, []float32{3, 4})))
	for v, err := range codec.ReadFvecs(&file) {
		fmt.Println(v, err)
	}
	_, err := codec.WriteFvecs(&file, rows([]float32{1, 2.5}, []float32{3}))
	fmt.Println(err)
	// Output:
	// 2 <nil>
	// [1 2.5] <nil>
	// [3 4] <nil>
	// row 1: vector has 1 dimensions, want 2
}

func ExampleWriteNPY() {
	var file bytes.Buffer
	fmt.Println(codec.WriteNPY(&file, 2, 2, rows([]float32{1, 2.5}, []float32{3, 4})))
	array, err := codec.ReadNPY(&file)
	fmt.Println(array.Rows, array.Dim, array.Type, err)
	// Output:
	// 2 <nil>
	// 2 2 <f4 <nil>
}
