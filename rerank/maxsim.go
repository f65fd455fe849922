package rerank

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/simd"
)

// The packed form of a text's token vectors: packVersion, the dimension and the number of
// vectors as varints, and for each vector its scale as a little-endian float32, and a
// signed byte an element. An element is the byte times the scale.
const packVersion = 1

const (
	maxTokenDim = 1 << 16
	maxTokens   = 1 << 20
	codeMax     = 127
)

// PackTokens packs the vectors of a text's tokens in eight bits an element, with a scale
// for each vector, for [MaxSim]. An element is then off by at most 1/254 of the largest
// one of its vector. The vectors have the same number of elements, 1 to 65,536; lengths
// are kept. No vectors give what is packed of none.
//
// It returns a [*codec.DimensionError] for vectors of different dimensions, and a
// [*codec.ValueError] for elements that are not finite.
func PackTokens(vectors [][]float32) ([]byte, error) {
	dim := 0
	if len(vectors) > 0 {
		dim = len(vectors[0])
	}
	if err := checkTokens(vectors, dim); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 1+2*binary.MaxVarintLen32+len(vectors)*(4+dim))
	b = append(b, packVersion)
	b = binary.AppendUvarint(b, uint64(dim))
	b = binary.AppendUvarint(b, uint64(len(vectors)))
	for _, v := range vectors {
		largest := 0.0
		for _, x := range v {
			largest = max(largest, math.Abs(float64(x)))
		}
		scale := float32(largest / codeMax)
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(scale))
		for _, x := range v {
			code := 0.0
			if scale != 0 {
				code = max(-codeMax, min(codeMax, math.RoundToEven(float64(x)/float64(scale))))
			}
			b = append(b, byte(int8(code)))
		}
	}
	return b, nil
}

// UnpackTokens returns the vectors that [PackTokens] has packed, as they are compared. It
// returns a [*codec.ValueError] for bytes that are not its own.
func UnpackTokens(packed []byte) ([][]float32, error) {
	p, err := openTokens(packed)
	if err != nil {
		return nil, err
	}
	vectors := make([][]float32, p.count)
	for i := range vectors {
		scale, codes := p.at(i)
		vectors[i] = make([]float32, p.dim)
		for j, c := range codes {
			vectors[i][j] = float32(int8(c)) * scale
		}
	}
	return vectors, nil
}

func checkTokens(vectors [][]float32, dim int) error {
	if len(vectors) > maxTokens {
		return refuse("tokens", fmt.Sprintf("at most %d vectors", maxTokens), fmt.Sprint(len(vectors)))
	}
	if len(vectors) > 0 && (dim < 1 || dim > maxTokenDim) {
		return refuse("tokens", fmt.Sprintf("vectors of 1 to %d elements", maxTokenDim), fmt.Sprint(dim))
	}
	for i, v := range vectors {
		if err := codec.Check(v, dim, codec.Dot); err != nil {
			return fmt.Errorf("token %d: %w", i, err)
		}
	}
	return nil
}

// tokens are packed vectors whose form was checked.
type tokens struct {
	dim, count int
	bytes      []byte
}

func openTokens(packed []byte) (tokens, error) {
	wrong := func(got string) (tokens, error) {
		return tokens{}, refuse("tokens", "what PackTokens returns", got)
	}
	if len(packed) == 0 || packed[0] != packVersion {
		return wrong(fmt.Sprintf("%d bytes of another form", len(packed)))
	}
	rest := packed[1:]
	dim, n := binary.Uvarint(rest)
	rest = rest[max(n, 0):]
	count, m := binary.Uvarint(rest)
	rest = rest[max(m, 0):]
	if n <= 0 || m <= 0 || dim > maxTokenDim || count > maxTokens || uint64(len(rest)) != count*(4+dim) {
		return wrong(fmt.Sprintf("%d bytes, which are too few or too many", len(packed)))
	}
	return tokens{int(dim), int(count), rest}, nil
}

// at returns the scale and the codes of a vector.
func (t *tokens) at(i int) (scale float32, codes []byte) {
	b := t.bytes[i*(4+t.dim):]
	return math.Float32frombits(binary.LittleEndian.Uint32(b)), b[4 : 4+t.dim]
}

// MaxSim scores texts by the vectors of their tokens against those of a question's, as
// late interaction does (Khattab and Zaharia, ColBERT, SIGIR 2020): the sum, over the
// question's tokens, of the largest dot product with any token of the text.
//
// The question's vectors are compared in full precision with the text's as they are
// packed, and dot products are computed in float64 wherever they decide: so a score is
// what the formula says of what [UnpackTokens] returns, but for the rounding of float64.
// A MaxSim is not safe for concurrent use: it keeps memory from one score to the next.
type MaxSim struct {
	query [][]float32
	wide  [][]float64
	norms []float64
	dim   int
	rows  []float32 // the codes of a text, a row for each token
	dots  []float32
}

// NewMaxSim returns a scorer for the vectors of a question's tokens, which it keeps and
// which must not change. It returns a [*codec.ValueError] if there are none, and the
// errors of [PackTokens].
func NewMaxSim(query [][]float32) (*MaxSim, error) {
	if len(query) == 0 {
		return nil, refuse("tokens", "a vector for each token of the question", "none")
	}
	m := &MaxSim{query: query, dim: len(query[0]), wide: make([][]float64, len(query)), norms: make([]float64, len(query))}
	if err := checkTokens(query, m.dim); err != nil {
		return nil, err
	}
	for i, q := range query {
		m.norms[i] = simd.Norm(q)
		m.wide[i] = make([]float64, m.dim)
		for j, x := range q {
			m.wide[i][j] = float64(x)
		}
	}
	return m, nil
}

// Score returns the score of a text whose tokens [PackTokens] has packed; for one without
// tokens it is -math.MaxFloat64. The error is a [*codec.DimensionError] for tokens of
// another dimension than the question's, and a [*codec.ValueError] for other bytes.
func (m *MaxSim) Score(packed []byte) (float64, error) {
	t, err := openTokens(packed)
	switch {
	case err != nil:
		return 0, err
	case t.count == 0:
		return -math.MaxFloat64, nil
	case t.dim != m.dim:
		return 0, &codec.DimensionError{Want: m.dim, Got: t.dim}
	}
	if need := t.count * t.dim; cap(m.rows) < need {
		m.rows = make([]float32, need)
	}
	if cap(m.dots) < t.count {
		m.dots = make([]float32, t.count)
	}
	rows, dots := m.rows[:t.count*t.dim], m.dots[:t.count]
	for i := range t.count {
		_, codes := t.at(i)
		row := rows[i*t.dim : (i+1)*t.dim]
		for j, c := range codes {
			row[j] = float32(int8(c)) // exact: the scale is multiplied in float64
		}
	}
	sum := 0.0
	for i := range m.query {
		simd.DotRows(dots, m.query[i], rows)
		sum += m.largest(i, &t, rows, dots)
	}
	return sum, nil
}

// largest returns the largest dot product of a token of the question. Those that the
// kernel's rounding leaves in doubt are computed again.
func (m *MaxSim) largest(query int, t *tokens, rows, dots []float32) float64 {
	// Of codes of at most 127 each, a row's length is at most 127*sqrt(dim). See the
	// widths of Exact.
	width := 1.01 * growth(float64(simd.Roundings(t.dim))+1, 0x1p-24) * m.norms[query] * codeMax * math.Sqrt(float64(t.dim))
	width += float64(t.dim+2) * math.SmallestNonzeroFloat32
	floor := math.Inf(-1)
	for i, dot := range dots {
		scale, _ := t.at(i)
		if low := (float64(dot) - width) * float64(scale); low > floor && low-low == 0 {
			floor = low
		}
	}
	best := math.Inf(-1)
	for i, dot := range dots {
		scale, _ := t.at(i)
		if high := (float64(dot) + width) * float64(scale); high >= floor || high-high != 0 {
			best = max(best, simd.DotWide(m.wide[query], rows[i*t.dim:(i+1)*t.dim])*float64(scale))
		}
	}
	return best
}
