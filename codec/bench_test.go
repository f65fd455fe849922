package codec

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"testing"

	"github.com/vecwire/vecwire/internal/pair"
)

func BenchmarkAppendTextVersusJSON(b *testing.B) {
	v := randomUnit(128)
	var buf []byte
	pair.Run(b, func() { buf = AppendText(buf[:0], v) }, func() {
		if _, err := json.Marshal(v); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkParseTextVersusJSON(b *testing.B) {
	text := AppendText(nil, randomUnit(128))
	var ours, theirs []float32
	pair.Run(b, func() {
		var err error
		if ours, err = ParseText(ours[:0], text); err != nil {
			b.Fatal(err)
		}
	}, func() {
		if err := json.Unmarshal(text, &theirs); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkAppendBinaryVersusLoop(b *testing.B) {
	v := randomUnit(128)
	var ours, theirs []byte
	pair.Run(b, func() { ours = AppendBinary(ours[:0], v) }, func() {
		theirs = append(theirs[:0], 0, 128, 0, 0)
		for _, x := range v {
			theirs = binary.BigEndian.AppendUint32(theirs, math.Float32bits(x))
		}
	})
}

func BenchmarkParseHalfBinaryVersusFloat(b *testing.B) {
	v := randomUnit(128)
	full := AppendBinary(nil, v)
	half, err := AppendHalfBinary(nil, v)
	if err != nil {
		b.Fatal(err)
	}
	pair.Run(b, func() { v, _ = ParseHalfBinary(v[:0], half) }, func() { v, _ = ParseBinary(v[:0], full) })
}

func BenchmarkAppendBlobVersusPortable(b *testing.B) {
	v := randomUnit(128)
	var ours, theirs []byte
	pair.Run(b, func() { ours = AppendBlob(ours[:0], v) }, func() { theirs = appendBlobPortable(theirs[:0], v) })
}

// BenchmarkCheckVersusComparing pairs Check with the plain way to write it.
func BenchmarkCheckVersusComparing(b *testing.B) {
	v := randomUnit(128)
	pair.Run(b, func() {
		if err := Check(v, len(v), Cosine); err != nil {
			b.Fatal(err)
		}
	}, func() {
		var largest float32
		for _, x := range v {
			if x-x != 0 {
				b.Fatal("not finite")
			}
			largest = max(largest, x, -x)
		}
		if largest == 0 {
			b.Fatal("all zeros")
		}
	})
}
