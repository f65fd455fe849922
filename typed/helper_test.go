package typed_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/typed"
)

// openDB opens a database in memory for the length of a test.
func openDB(t testing.TB) *vecwire.DB {
	t.Helper()
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

// ensure makes a collection in memory for values of T.
func ensure[T any](t *testing.T, change func(*vecwire.Schema)) *typed.Collection[T] {
	t.Helper()
	schema, err := typed.SchemaOf[T]("docs")
	require.NoError(t, err)
	if change != nil {
		change(&schema)
	}
	c, err := openDB(t).CreateCollection(t.Context(), schema)
	require.NoError(t, err)
	out, err := typed.Of[T](c)
	require.NoError(t, err)
	return out
}

type (
	lang  string
	score float32
	stamp time.Time
	blob  []byte
	point []float32
)

// Source is embedded in a struct, whose fields its own then are.
type Source struct {
	SourceURL string
	Page      uint16 `vecwire:",index"`
}

// everything has a field of each type.
type everything struct {
	Key    int32  `vecwire:"id"`
	Vector point  `vecwire:",dim=3"`
	Body   lang   `vecwire:"text"`
	hidden string //nolint:unused // what is not exported is left alone
	Skip   func() `vecwire:"-"`
	Source

	S    string
	Lang lang `vecwire:"language,index"`
	B    bool
	I    int
	I8   int8
	I64  int64
	U    uint
	U8   uint8
	U64  uint64
	F32  score
	F64  float64
	T    time.Time
	Tn   stamp
	By   []byte
	Bn   blob
	Addr netip.Addr
	Lvl  slog.Level

	PS    *string
	PI    *int16
	PF    *float64
	PB    *bool
	PT    *time.Time
	PA    *netip.Addr
	NullI sql.Null[int32]
	NullL sql.Null[lang]
	NullS sql.NullString
	NullT sql.NullTime

	Z  int       `vecwire:",omitzero"`
	ZT time.Time `vecwire:",omitzero"`
	ZS string    `vecwire:"zs,omitzero,index"`

	Rest vecwire.Fields `vecwire:"*"`
}

func randomEverything(rng *rand.Rand, key int32) everything {
	text := func() string {
		return []string{"", "a", "007", "1e5", "héllo 日本", "it's \"quoted\"\n", " "}[rng.IntN(7)]
	}
	moment := func() time.Time {
		return time.Unix(rng.Int64N(4e9)-1e9, rng.Int64N(1e6)*1000).UTC()
	}
	bytes := func() []byte {
		return [][]byte{nil, {}, {0}, []byte("bytes")}[rng.IntN(4)]
	}
	address := func() netip.Addr {
		return []netip.Addr{netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("::1"), {}}[rng.IntN(3)]
	}
	v := everything{
		Key: key, Vector: point{rng.Float32() + 1, rng.Float32(), -rng.Float32()}, Body: lang(text()),
		Source: Source{text(), uint16(rng.Uint32())},
		S:      text(), Lang: lang(text()), B: rng.IntN(2) == 0,
		I: int(rng.Int64()), I8: int8(rng.Int64()), I64: -rng.Int64(), U: uint(rng.Int64()), U8: uint8(rng.Int64()), U64: uint64(rng.Int64()),
		F32: score(rng.NormFloat64()), F64: rng.NormFloat64() * math.Ldexp(1, rng.IntN(600)-300),
		T: moment(), Tn: stamp(moment()), By: bytes(), Bn: bytes(), Addr: address(), Lvl: slog.LevelWarn,
	}
	some := func() bool { return rng.IntN(2) == 0 }
	if some() {
		v.PS, v.PI, v.PF = new(text()), new(int16(rng.Int64())), new(rng.NormFloat64())
		v.NullI = sql.Null[int32]{V: rng.Int32(), Valid: true}
		v.NullS = sql.NullString{String: text(), Valid: true}
	}
	if some() {
		v.PB, v.PT, v.PA = new(some()), new(moment()), new(address())
		v.NullL = sql.Null[lang]{V: lang(text()), Valid: true}
		v.NullT = sql.NullTime{Time: moment(), Valid: true}
		v.Z, v.ZT, v.ZS = rng.IntN(2), moment(), text()
	}
	if some() {
		v.Rest = vecwire.Fields{"more": text()}
	}
	return v
}

type strict struct {
	ID     uint8
	Vector [2]float32
	Big    uint64
	Small  int8
	Tiny   *uint8
	F      float32
	Lang   string
	Picky  picky
	Rest   vecwire.Fields `vecwire:"*"`
}

// picky is a String that cannot always be written or read.
type picky struct{ s string }

func (p picky) MarshalText() ([]byte, error) {
	if p.s == "bad" {
		return nil, errors.New("it is bad")
	}
	return []byte(p.s), nil
}

func (p *picky) UnmarshalText(text []byte) error {
	if string(text) == "unreadable" {
		return errors.New("no")
	}
	p.s = string(text)
	return nil
}

// alphabet embeds a text as the number of times that it has each letter.
type alphabet struct{}

func (alphabet) Model() string { return "alphabet" }

func (alphabet) Dim() int { return 26 }

func (alphabet) Embed(_ context.Context, texts []string, _ embed.Use) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, text := range texts {
		out[i] = make([]float32, 26)
		for _, r := range text {
			if 'a' <= r && r <= 'z' {
				out[i][r-'a']++
			}
		}
	}
	return out, nil
}
