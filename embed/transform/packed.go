package transform

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"unsafe"

	"github.com/vecwire/vecwire/embed/transform/internal/kernels"
)

// packedMagic begins a packed model. Its last byte is the version of the format.
const packedMagic = "vecwire model\x00\x00\x01"

// packedHeader is the JSON that follows the magic and its own length, four bytes,
// little endian. Behind it come the parts that layout lists, without gaps.
type packedHeader struct {
	Name      string          `json:"name"` // of the model, "" for one made of the sum
	Notice    string          `json:"notice"`
	Sum       string          `json:"sha256"` // of what follows the header
	Config    config          `json:"config"`
	Settings  packedSettings  `json:"settings"`
	Tokenizer json.RawMessage `json:"tokenizer"` // tokenizer.json without its vocabulary
	Vocab     int             `json:"vocabulary_bytes"`
}

type packedSettings struct {
	CLS            bool   `json:"cls"`
	Normalize      bool   `json:"normalize"`
	MaxTokens      int    `json:"max_tokens"`
	DocumentPrompt string `json:"document_prompt"`
	QueryPrompt    string `json:"query_prompt"`
}

// PackOptions says what a packed model says of itself.
type PackOptions struct {
	// Name is the name of the model without the hash that follows it, such as
	// "all-MiniLM-L6-v2". Defaults to a name made of its shape.
	Name string
	// Notice says where the weights come from and under which licence they are.
	Notice string
}

// Pack reads the model in a directory and returns it with weights of eight bits, as
// one file for [OpenPacked]: 23 MB for all-MiniLM-L6-v2. Only the positions that the
// model sees are in it. The same directory and options always give the same bytes.
// Errors are those of [Open] with Options.Int8.
func Pack(dir string, o PackOptions) ([]byte, error) {
	packed, err := pack(dir, o)
	if err != nil {
		return nil, fmt.Errorf("transform: %w", err)
	}
	return packed, nil
}

func pack(dir string, o PackOptions) ([]byte, error) {
	m := &modelDir{path: dir, sum: sha256.New()}
	p, err := m.parts(true)
	if err != nil {
		return nil, err
	}
	enc, err := m.encoder(p.config)
	if err != nil {
		return nil, err
	}
	b, err := enc.bytes()
	if err != nil {
		return nil, m.in(weightsFile, err)
	}
	p.config.Positions = p.settings.maxTokens
	b.positions = b.positions[:p.config.Positions*p.config.Hidden]

	var tokenizer struct {
		Model struct{ Vocab map[string]int32 }
	}
	var rest map[string]any
	for _, into := range []any{&tokenizer, &rest} {
		if _, err := m.read("tokenizer.json", false, into); err != nil {
			return nil, err
		}
	}
	delete(rest["model"].(map[string]any), "vocab")
	vocab, err := joinVocab(tokenizer.Model.Vocab, p.config.VocabSize)
	if err != nil {
		return nil, m.in("tokenizer.json", err)
	}
	h := packedHeader{
		Name: o.Name, Notice: o.Notice, Config: p.config, Vocab: len(vocab),
		Settings: packedSettings{p.settings.cls, p.settings.normalize, p.settings.maxTokens, p.settings.documentPrompt, p.settings.queryPrompt},
	}
	if h.Tokenizer, err = json.Marshal(rest); err != nil {
		return nil, err
	}
	body := []byte(vocab)
	b.layout(p.config, partVisitor{
		bytes: func(x *[]int8, _ int) {
			body = append(body, unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(*x))), len(*x))...)
		},
		floats: func(x *[]float32, _ int) {
			for _, v := range *x {
				body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
			}
		},
	})
	h.Sum = fmt.Sprintf("%x", sha256.Sum256(body))
	header, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	out := binary.LittleEndian.AppendUint32([]byte(packedMagic), uint32(len(header)))
	return append(append(out, header...), body...), nil
}

// joinVocab returns the pieces in the order of their IDs, each on a line of its own.
// A piece that has two IDs does not occur; an ID that has no piece has an empty line.
func joinVocab(vocab map[string]int32, size int) (string, error) {
	lines := make([]string, size)
	for _, piece := range slices.Sorted(maps.Keys(vocab)) {
		switch id := vocab[piece]; {
		case strings.Contains(piece, "\n"):
			return "", invalid(fmt.Sprintf("model.vocab[%q]", piece), "a piece without a line break", "one with it")
		case lines[id] != "":
			return "", invalid(fmt.Sprintf("model.vocab[%q]", piece), "an ID of its own", fmt.Sprintf("%d, that of %q", id, lines[id]))
		default:
			lines[id] = piece
		}
	}
	return strings.Join(lines, "\n"), nil
}

// splitVocab is the inverse of joinVocab.
func splitVocab(vocab string) iter.Seq2[string, int32] {
	return func(yield func(string, int32) bool) {
		id := int32(0)
		for line := range strings.SplitSeq(vocab, "\n") {
			if line != "" && !yield(line, id) {
				return
			}
			id++
		}
	}
}

// partVisitor is called for each part of a packed model, in their order, with the
// place that it has in the encoder and its number of elements.
type partVisitor struct {
	bytes  func(x *[]int8, n int)
	floats func(x *[]float32, n int)
}

// layout visits the parts of the encoder, whose layers it makes where they are
// missing.
func (e *byteEncoder) layout(c config, v partVisitor) {
	norm := func(s *scale) {
		v.floats(&s.w, c.Hidden)
		v.floats(&s.b, c.Hidden)
	}
	matrix := func(m **kernels.Matrix, rows, columns int) {
		if *m == nil {
			*m = &kernels.Matrix{Columns: columns}
		}
		v.bytes(&(*m).Weights, rows*columns)
		v.floats(&(*m).Scales, rows)
		v.floats(&(*m).Bias, rows)
	}
	v.bytes(&e.words, c.VocabSize*c.Hidden)
	v.floats(&e.wordScales, c.VocabSize)
	v.floats(&e.positions, c.Positions*c.Hidden)
	norm(&e.norm)
	for len(e.layers) < c.Layers {
		e.layers = append(e.layers, byteLayer{})
	}
	for i := range e.layers {
		l := &e.layers[i]
		matrix(&l.attention, 3*c.Hidden, c.Hidden)
		matrix(&l.mixed, c.Hidden, c.Hidden)
		norm(&l.mixedNorm)
		matrix(&l.up, c.Intermediate, c.Hidden)
		matrix(&l.down, c.Hidden, c.Intermediate)
		norm(&l.downNorm)
	}
}

// OpenPacked opens a model that [Pack] has made. The weights stay where they are,
// in data, so that a model that is embedded in the program costs no memory until it
// is used, and then only what the operating system reads of it. Options.Int8 is
// always set. What data cannot be the whole of is a [*codec.ValueError]; that its
// bytes are those that Pack wrote is not checked, see [CheckPacked].
func OpenPacked(data string, o Options) (*Embedder, error) {
	e, err := openPacked(data, o)
	if err != nil {
		return nil, fmt.Errorf("transform: packed model: %w", err)
	}
	return e, nil
}

func openPacked(data string, o Options) (*Embedder, error) {
	h, body, err := splitPacked(data)
	if err != nil {
		return nil, err
	}
	c := h.Config
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := checkBytes(c); err != nil {
		return nil, err
	}
	if h.Settings.MaxTokens < 1 || h.Settings.MaxTokens > c.Positions {
		return nil, invalid("max_tokens", fmt.Sprintf("from 1 to %d", c.Positions), fmt.Sprint(h.Settings.MaxTokens))
	}
	for _, product := range [][2]int{
		{c.VocabSize, c.Hidden}, {c.Positions, c.Hidden}, {c.Hidden, c.Hidden}, {c.Intermediate, c.Hidden}, {c.Layers, c.Hidden},
	} {
		if product[0] > len(body)/product[1] { // so that no sum of them overflows
			return nil, invalid("its config", fmt.Sprintf("a model of at most %d bytes", len(body)), fmt.Sprintf("%d times %d", product[0], product[1]))
		}
	}
	enc := &byteEncoder{hidden: c.Hidden, heads: c.Heads, eps: float32(c.Epsilon)}
	if size, want := len(body)-h.Vocab, packedSize(c); h.Vocab < 0 || h.Vocab > len(body) || size != want {
		return nil, invalid("its size", fmt.Sprintf("%d bytes of weights", want), fmt.Sprint(size))
	}
	vocab, body := body[:h.Vocab], body[h.Vocab:]
	enc.layout(c, partVisitor{
		bytes: func(x *[]int8, n int) {
			*x = unsafe.Slice((*int8)(unsafe.Pointer(unsafe.StringData(body))), n)
			body = body[n:]
		},
		floats: func(x *[]float32, n int) { // copied, because they may not be aligned
			*x = make([]float32, n)
			for i := range *x {
				(*x)[i] = math.Float32frombits(binary.LittleEndian.Uint32([]byte(body[4*i : 4*i+4])))
			}
			body = body[4*n:]
		},
	})
	p := parts{config: c, settings: settings{
		cls: h.Settings.CLS, normalize: h.Settings.Normalize, maxTokens: h.Settings.MaxTokens,
		documentPrompt: h.Settings.DocumentPrompt, queryPrompt: h.Settings.QueryPrompt,
	}}
	f, err := readTokenizer(h.Tokenizer)
	if err != nil {
		return nil, err
	}
	if p.tokenizer, err = f.tokenizer(splitVocab(vocab), c.VocabSize); err != nil {
		return nil, err
	}
	e, err := p.embedder(o)
	if err != nil {
		return nil, err
	}
	e.encoder = enc
	if e.model == "" {
		sum := sha256.New()
		sum.Write([]byte(h.Sum))
		e.model = name(sum, c, e.s, e.prefix, true)
		if h.Name != "" {
			e.model = h.Name + e.model[strings.LastIndexByte(e.model, '/'):]
		}
	}
	return e, nil
}

// packedSize returns how many bytes the weights of a model take.
func packedSize(c config) int {
	size := 0
	new(byteEncoder).layout(c, partVisitor{
		bytes:  func(_ *[]int8, n int) { size += n },
		floats: func(_ *[]float32, n int) { size += 4 * n },
	})
	return size
}

// splitPacked returns the header of a packed model and what follows it.
func splitPacked(data string) (h packedHeader, body string, err error) {
	rest, found := strings.CutPrefix(data, packedMagic)
	if !found || len(rest) < 4 {
		return h, "", invalid("its beginning", fmt.Sprintf("%q", packedMagic), fmt.Sprintf("%q", data[:min(len(data), len(packedMagic))]))
	}
	n := int64(binary.LittleEndian.Uint32([]byte(rest[:4])))
	if rest = rest[4:]; n > int64(len(rest)) {
		return h, "", invalid("the length of its header", fmt.Sprintf("at most %d", len(rest)), fmt.Sprint(n))
	}
	if err := json.Unmarshal([]byte(rest[:n]), &h); err != nil {
		return h, "", fmt.Errorf("its header: %w", err)
	}
	return h, rest[n:], nil
}

// CheckPacked reads a packed model whole and says whether it is as [Pack] wrote it.
func CheckPacked(data string) error {
	h, body, err := splitPacked(data)
	if err == nil {
		if sum := fmt.Sprintf("%x", sha256.Sum256([]byte(body))); sum != h.Sum {
			err = invalid("its SHA-256", h.Sum, sum)
		}
	}
	if err != nil {
		return fmt.Errorf("transform: packed model: %w", err)
	}
	return nil
}
