package codec_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/codec"
)

func ExampleCheck() {
	fmt.Println(codec.Check([]float32{0.6, 0.8}, 2, codec.Cosine))
	fmt.Println(codec.Check([]float32{0.6}, 2, codec.Cosine))
	fmt.Println(codec.Check([]float32{0, 0}, 2, codec.Cosine))
	fmt.Println(codec.Check([]float32{0, 0}, 2, codec.L2))
	// Output:
	// <nil>
	// vector has 1 dimensions, want 2
	// vector is all zeros, want a vector with a direction
	// <nil>
}

func ExampleAppendText() {
	var buf []byte // used again and again
	for _, v := range [][]float32{{1, 2.5, -3e-05}, {0.1, 0.2, 0.3}} {
		buf = codec.AppendText(buf[:0], v)
		fmt.Println(string(buf))
	}
	// Output:
	// [1,2.5,-3e-05]
	// [0.1,0.2,0.3]
}

func ExampleParseText() {
	v, err := codec.ParseText[float32](nil, "1.0,.5,-3E-05")
	fmt.Println(v, err)

	_, err = codec.ParseText[float32](nil, "[1,NaN]")
	var syntax *codec.SyntaxError
	if errors.As(err, &syntax) {
		fmt.Println("byte", syntax.Offset, "-", syntax.Msg)
	}
	// Output:
	// [1 0.5 -3e-05] <nil>
	// byte 3 - want a number
}

func ExampleAppendBinary() {
	b := codec.AppendBinary(nil, []float32{1, -2})
	fmt.Printf("% x\n", b)
	v, err := codec.ParseBinary(nil, b)
	fmt.Println(v, err)
	// Output:
	// 00 02 00 00 3f 80 00 00 c0 00 00 00
	// [1 -2] <nil>
}

func ExampleAppendHalfBinary() {
	b, err := codec.AppendHalfBinary(nil, []float32{0.1})
	fmt.Printf("% x %v\n", b, err)
	v, err := codec.ParseHalfBinary(nil, b)
	fmt.Println(v, err)
	_, err = codec.AppendHalfBinary(nil, []float32{1, 70000})
	fmt.Println(err)
	// Output:
	// 00 01 00 00 2e 66 <nil>
	// [0.099975586] <nil>
	// vector[1] is 70000, want a number below 65520 in size
}

func ExampleAppendBlob() {
	b := codec.AppendBlob(nil, []float64{1, -2})
	fmt.Printf("% x\n", b)
	v, err := codec.ParseBlob[float64](nil, b)
	fmt.Println(v, err)
	// Output:
	// 00 00 00 00 00 00 f0 3f 00 00 00 00 00 00 00 c0
	// [1 -2] <nil>
}

func ExampleReadBvecs() {
	r := strings.NewReader("\x03\x00\x00\x00\x01\x02\x03" + "\x03\x00\x00\x00\x00\x80\xff")
	var kept [][]float32
	for v, err := range codec.ReadBvecs(r) {
		if err != nil {
			fmt.Println(err)
			return
		}
		kept = append(kept, slices.Clone(v)) // v is valid until the next step
	}
	fmt.Println(kept)
	// Output: [[1 2 3] [0 128 255]]
}

func ExampleReadNPY() {
	header := "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }\n"
	r := strings.NewReader("\x93NUMPY\x01\x00" + string(rune(len(header))) + "\x00" + header + "abcdef")
	file, err := codec.ReadNPY(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(file.Rows, "vectors of", file.Dim, "elements of type", file.Type)
	for v, err := range file.Float32s() {
		fmt.Println(v, err)
	}
	// Output:
	// 2 vectors of 3 elements of type |u1
	// [97 98 99] <nil>
	// [100 101 102] <nil>
}
