package parquet_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
	"github.com/vecwire/vecwire/transfer"
	"github.com/vecwire/vecwire/transfer/parquet"
)

// schema has a field of each type.
func schema() vecwire.Schema {
	return vecwire.Schema{Name: "docs", Dim: 3, Extra: "j", Vectors: []vecwire.VectorField{{Name: "title", Dim: 2, Source: "s"}}, Fields: []vecwire.Field{
		{Name: "s", Index: true}, {Name: "i", Type: vecwire.Int}, {Name: "f", Type: vecwire.Float},
		{Name: "b", Type: vecwire.Bool}, {Name: "t", Type: vecwire.Time}, {Name: "y", Type: vecwire.Bytes},
		{Name: "ss", Type: vecwire.Strings}, {Name: "is", Type: vecwire.Ints}, {Name: "fs", Type: vecwire.Floats},
		{Name: "j", Type: vecwire.JSON, Paths: []string{"a.b"}},
	}}
}

func collection(t testing.TB, s vecwire.Schema, records ...vecwire.Record) *vecwire.Collection {
	t.Helper()
	db, err := vecwire.Open(t.Context(), "mem:")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	c, err := db.CreateCollection(t.Context(), s)
	require.NoError(t, err)
	require.NoError(t, c.Upsert(t.Context(), records...))
	return c
}

func all(t testing.TB, c *vecwire.Collection) (out []vecwire.Record) {
	t.Helper()
	for r, err := range c.All(t.Context(), vecwire.Scan{Vectors: true}) {
		require.NoError(t, err)
		out = append(out, r)
	}
	return out
}

func read(file []byte, s vecwire.Schema, names transfer.Names) (out []vecwire.Record, errs []error) {
	for r, err := range parquet.Read(bytes.NewReader(file), int64(len(file)), s, names) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, r)
	}
	return out, errs
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	b, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(string(text), "\n", ""))
	require.NoError(t, err)
	return b
}

func records(element vecwire.Element) []vecwire.Record {
	out := []vecwire.Record{
		{ID: "all", Vectors: map[string][]float32{"title": {0.5, -1e-30}}, Text: "text \r\n日本", Fields: vecwire.Fields{
			"s": "", "i": int64(math.MinInt64), "f": math.SmallestNonzeroFloat64, "b": false,
			"t": time.Date(2024, 2, 29, 23, 59, 59, 123_456_000, time.UTC), "y": []byte{0, 0xff},
			"ss": []string{"a", "", "a"}, "is": []int64{math.MaxInt64, 1<<53 + 1}, "fs": []float64{0.1, 1e300},
			"j": map[string]any{"a": map[string]any{"b": json.Number("9007199254740993.50")}, "<": nil},
		}},
		{ID: "empty", Fields: vecwire.Fields{"y": []byte{}, "ss": []string{}, "is": []int64{}, "fs": []float64{}, "j": []any{}}},
		{ID: "late", Fields: vecwire.Fields{"t": time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC)}},
		{ID: "none"},
		{ID: "soon", Fields: vecwire.Fields{"t": time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)}},
	}
	for i := range out {
		x := []float64{0.1 * float64(i+1), math.Copysign(0, -1), -1e-30}
		if element == vecwire.DOUBLE {
			out[i].Vector64 = x
			continue
		}
		out[i].Vector = []float32{float32(x[0]), float32(x[1]), math.SmallestNonzeroFloat32}
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	for _, element := range []vecwire.Element{vecwire.FLOAT, vecwire.DOUBLE} {
		s := schema()
		s.Element = element
		c := collection(t, s, records(element)...)
		want := all(t, c)
		var file bytes.Buffer
		var told transfer.Progress
		n, err := parquet.Write(t.Context(), &file, c, transfer.Options{Progress: func(p transfer.Progress) { told = p }})
		require.NoError(t, err)
		require.Equal(t, len(want), n)
		require.EqualValues(t, n, told.Done)
		require.EqualValues(t, n, told.Total)
		got, err := parquet.ReadSchema(bytes.NewReader(file.Bytes()), int64(file.Len()))
		require.NoError(t, err)
		require.Equal(t, c.Schema(), got)
		back, errs := read(file.Bytes(), s, transfer.Names{})
		require.Empty(t, errs)
		require.Equal(t, want, back)
		for i := range want {
			require.Equal(t, codec.AppendBlob(nil, want[i].Vector), codec.AppendBlob(nil, back[i].Vector), "bit for bit")
			require.Equal(t, codec.AppendBlob(nil, want[i].Vector64), codec.AppendBlob(nil, back[i].Vector64))
		}

		names := transfer.Names{ID: "doc_id", Vector: "embedding", Fields: map[string]string{"s": "id", "i": "a.b", "title": "title.vec"}}
		file.Reset()
		n, err = parquet.Write(t.Context(), &file, c, transfer.Options{Names: &names, Filter: filter.Eq("id", "all")})
		require.NoError(t, err)
		require.Equal(t, 1, n)
		back, errs = read(file.Bytes(), s, names)
		require.Empty(t, errs)
		require.Equal(t, want[:1], back)

		file.Reset()
		_, err = parquet.Write(t.Context(), &file, c, transfer.Options{NoVectors: true})
		require.NoError(t, err)
		back, errs = read(file.Bytes(), s, transfer.Names{})
		require.Empty(t, errs)
		require.Nil(t, back[0].Vector)
		require.Nil(t, back[0].Vector64)
	}
}

// TestRowGroups reads a file of several row groups in pieces.
func TestRowGroups(t *testing.T) {
	s := vecwire.Schema{Name: "c", Dim: 1}
	c := collection(t, s)
	long := strings.Repeat("word ", 20_000)
	for _, id := range "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789" {
		for _, second := range "0123456" {
			require.NoError(t, c.Upsert(t.Context(), vecwire.Record{ID: string([]rune{id, second}), Vector: []float32{1}, Text: long}))
		}
	}
	var file bytes.Buffer
	n, err := parquet.Write(t.Context(), &file, c, transfer.Options{})
	require.NoError(t, err)
	require.Equal(t, 434, n)
	in := parquet.Read(bytes.NewReader(file.Bytes()), int64(file.Len()), s, transfer.Names{})
	var ids []string
	for range 2 {
		for r, err := range in {
			require.NoError(t, err)
			require.Equal(t, long, r.Text)
			if ids = append(ids, r.ID); len(ids) == 100 {
				break
			}
		}
	}
	require.Len(t, ids, 434)
	for i, r := range all(t, c) {
		require.Equal(t, r.ID, ids[i])
	}
}

func TestFilesOfPyarrow(t *testing.T) {
	s := vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{
		{Name: "lang"}, {Name: "year", Type: vecwire.Int}, {Name: "price", Type: vecwire.Float}, {Name: "ok", Type: vecwire.Bool},
		{Name: "at", Type: vecwire.Time}, {Name: "day", Type: vecwire.Time}, {Name: "ms", Type: vecwire.Time},
		{Name: "raw", Type: vecwire.Bytes}, {Name: "tags", Type: vecwire.Strings}, {Name: "json", Type: vecwire.JSON}, {Name: "cat"},
	}}
	names := transfer.Names{ID: "doc_id", Vector: "embedding", Text: "body", Fields: map[string]string{"lang": "meta.lang"}}
	at := time.Date(2024, 2, 29, 23, 59, 59, 123_456_000, time.UTC)
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	want := []vecwire.Record{
		{ID: "7", Vector: []float32{0.1, -2.5}, Text: "t", Fields: vecwire.Fields{
			"lang": "go", "year": int64(2009), "price": 0.5, "ok": true, "at": at, "day": day(2024, 1, 15), "ms": day(2024, 1, 15).Add(12 * time.Hour),
			"raw": []byte{0, 0xff}, "tags": []string{"a", "b"}, "json": map[string]any{"a": []any{json.Number("1.50")}}, "cat": "x",
		}},
		{ID: "8", Vector: []float32{1, 2}, Fields: vecwire.Fields{"ok": false, "at": at, "raw": []byte{}, "tags": []string{}, "json": []any{}, "cat": "y"}},
		{ID: "9", Text: "日本", Fields: vecwire.Fields{"year": int64(-1), "price": float64(float32(1e30)), "day": day(1969, 12, 31), "cat": "x"}},
	}
	for _, name := range []string{"pyarrow.base64", "pyarrow-int96.base64"} {
		file := fixture(t, name)
		got, errs := read(file, s, names)
		require.Empty(t, errs)
		require.Equal(t, want, got, name)
		_, err := parquet.ReadSchema(bytes.NewReader(file), int64(len(file)))
		require.ErrorIs(t, err, transfer.ErrNoSchema)

		// Whole numbers are vectors, too.
		got, errs = read(file, vecwire.Schema{Name: "docs", Dim: 2, Element: vecwire.DOUBLE}, transfer.Names{ID: "doc_id", Vector: "half"})
		require.Empty(t, errs)
		require.Equal(t, []float64{3, 4}, got[1].Vector64)

		extra := vecwire.Schema{Name: "docs", Dim: 2, Extra: "meta", Fields: []vecwire.Field{{Name: "meta", Type: vecwire.JSON}}}
		c := collection(t, extra)
		report, err := c.Ingest(t.Context(), parquet.Read(bytes.NewReader(file), int64(len(file)), extra, transfer.Names{ID: "doc_id", Vector: "half"}), vecwire.IngestOptions{})
		require.NoError(t, err)
		require.EqualValues(t, 1, report.Failed, "a null within a list, and a number beyond 2^63")
		require.EqualValues(t, 2, report.Inserted)
		got, err = c.Get(t.Context(), "7")
		require.NoError(t, err)
		meta := got[0].Fields["meta"].(map[string]any)
		require.Equal(t, []any{"a", "b"}, meta["tags"])
		require.Equal(t, json.Number("0.5"), meta["price"])
		require.NotContains(t, meta, "dec")
		require.NotContains(t, meta, "raw")
	}
}

func TestRefuses(t *testing.T) {
	file := fixture(t, "pyarrow.base64")
	with := func(f vecwire.Field) vecwire.Schema {
		return vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{f}}
	}
	id := transfer.Names{ID: "doc_id"}
	for _, tt := range []struct {
		s     vecwire.Schema
		names transfer.Names
		want  string
	}{
		{with(vecwire.Field{Name: "year"}), id, `transfer/parquet: column "year" is INT(16,true), want String for field "year"`},
		{with(vecwire.Field{Name: "body", Type: vecwire.Int}), id, `column "body" is STRING, want Int for field "body"`},
		{with(vecwire.Field{Name: "tags"}), id, `column "tags" is a list of STRING, want String for field "tags"`},
		{with(vecwire.Field{Name: "year", Type: vecwire.Ints}), id, `want Ints for field "year"`},
		{with(vecwire.Field{Name: "dec", Type: vecwire.Float}), id, `column "dec" is DECIMAL(5,2), want Float for field "dec"`},
		{with(vecwire.Field{Name: "s"}), transfer.Names{}, `transfer: there is no column "id" for id: name one of doc_id`},
		{with(vecwire.Field{Name: "s"}), transfer.Names{ID: "doc_id", Vector: "none"}, `transfer: there is no column "none" for vector`},
		{with(vecwire.Field{Name: "s"}), transfer.Names{ID: "tags"}, `column "tags" is a list of STRING, want strings or whole numbers for id`},
		{with(vecwire.Field{Name: "s"}), transfer.Names{ID: "doc_id", Vector: "year"}, `want lists of numbers for vector`},
		{with(vecwire.Field{Name: "s"}), transfer.Names{ID: "doc_id", Text: "year"}, `want strings for text`},
		{with(vecwire.Field{Name: "s"}), transfer.Names{ID: "doc_id", Fields: map[string]string{"none": "x"}}, `field "none" does not exist`},
	} {
		in := parquet.Read(bytes.NewReader(file), int64(len(file)), tt.s, tt.names)
		for range 2 {
			n := 0
			for _, err := range in {
				require.ErrorContains(t, err, tt.want)
				n++
			}
			require.Equal(t, 1, n, "an error is final")
		}
	}
	// What one row has costs that row.
	got, errs := read(file, with(vecwire.Field{Name: "years", Type: vecwire.Ints}), id)
	require.Len(t, got, 2)
	require.Len(t, errs, 1)
	require.EqualError(t, errs[0], `record 1 (id "8"): row 1: column "years": years[0] is null, want a value`)
	require.ErrorAs(t, errs[0], new(*vecwire.RecordError))
	got, errs = read(file, with(vecwire.Field{Name: "big", Type: vecwire.Int}), id)
	require.Len(t, got, 2)
	require.EqualError(t, errs[0], `record 1 (id "8"): row 1: column "big": big is 18446744073709551615, want a whole number up to 2^63-1`)
	_, errs = read(file, with(vecwire.Field{Name: "s"}), transfer.Names{ID: "body"})
	require.EqualError(t, errs[0], `record 1 (id ""): row 1: id is nothing, want a String that is not empty`)

	for _, bad := range [][]byte{nil, []byte("PAR1"), []byte("something else than a file"), file[:len(file)-1], file[:100]} {
		_, errs := read(bad, with(vecwire.Field{Name: "s"}), id)
		require.Len(t, errs, 1)
		require.ErrorContains(t, errs[0], "transfer/parquet: ")
		_, err := parquet.ReadSchema(bytes.NewReader(bad), int64(len(bad)))
		require.ErrorContains(t, err, "transfer/parquet: ")
	}
}

// TestLies reads files that say of themselves what would take all memory to believe.
func TestLies(t *testing.T) {
	file := fixture(t, "pyarrow.base64")
	for _, length := range []uint32{1<<32 - 1, uint32(len(file)) - 11} {
		lie := bytes.Clone(file)
		binary.LittleEndian.PutUint32(lie[len(lie)-8:], length)
		_, err := parquet.ReadSchema(bytes.NewReader(lie), int64(len(lie)))
		require.ErrorContains(t, err, fmt.Sprintf("its metadata has %d bytes, and has room for %d", length, len(file)-12))
	}

	var lz4 bytes.Buffer
	w := pq.NewGenericWriter[struct{ ID string }](&lz4, pq.Compression(&pq.Lz4Raw))
	_, err := w.Write([]struct{ ID string }{{"1"}})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	for _, err = range parquet.Read(bytes.NewReader(lz4.Bytes()), int64(lz4.Len()), vecwire.Schema{Name: "c", Dim: 2}, transfer.Names{ID: "ID"}) {
	}
	require.ErrorContains(t, err, `column "ID" is compressed with LZ4, want snappy`)
}

// TestPagesLie reads pages that are longer than they say, or say that they are: neither may
// take the memory.
func TestPagesLie(t *testing.T) {
	type row struct {
		ID string `parquet:",plain"`
	}
	const size = 100_000
	id := strings.Repeat("0123456789", size/10)
	write := func(codec compress.Codec) []byte {
		var b bytes.Buffer
		w := pq.NewGenericWriter[row](&b, pq.Compression(codec))
		_, err := w.Write([]row{{id}})
		require.NoError(t, err)
		require.NoError(t, w.Close())
		return b.Bytes()
	}
	read := func(file []byte) (err error) {
		for r, e := range parquet.Read(bytes.NewReader(file), int64(len(file)), vecwire.Schema{Name: "c", Dim: 2}, transfer.Names{ID: "ID"}) {
			if err = e; e == nil {
				require.Equal(t, id, r.ID)
			}
		}
		return err
	}
	for _, codec := range []compress.Codec{&pq.Uncompressed, &pq.Snappy, &pq.Gzip, &pq.Brotli, &pq.Zstd} {
		require.NoError(t, read(write(codec)), codec.String())
	}

	took := func(lie []byte) (uint64, error) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := read(lie)
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc, err
	}
	replaced := func(file, from, to []byte) []byte {
		require.Equal(t, 1, bytes.Count(file, from), "%x", from)
		return bytes.Replace(file, from, to, 1)
	}
	plain := binary.LittleEndian.AppendUint32(nil, size+4) // with the length before the string
	frame := []byte{0x28, 0xb5, 0x2f, 0xfd, 0xa0}
	whole := write(&pq.Zstd)
	for huge, want := range map[uint32]string{500 << 20: "to decompress it takes 134217728 bytes and more", 100 << 20: "it cannot be decompressed"} {
		lie := replaced(whole, slices.Concat(frame, plain), binary.LittleEndian.AppendUint32(slices.Clone(frame), huge))
		bytesTaken, err := took(resealed(t, whole, lie, bytes.Index(whole, frame)))
		require.Less(t, bytesTaken, uint64(300<<20))
		require.ErrorContains(t, err, want)
	}

	varint := binary.AppendUvarint(nil, size+4)
	bytesTaken, err := took(replaced(write(&pq.Snappy), varint, []byte{0xff, 0xff, 0x7f})) // 2 MiB
	require.ErrorContains(t, err, `column "ID", page at byte 4: it says that it has 100004 bytes when it is decompressed, and has more`)
	require.Less(t, bytesTaken, uint64(1<<20))
	zigzag := binary.AppendUvarint(nil, 2*(size+4)) // as a header has numbers
	for _, codec := range []compress.Codec{&pq.Snappy, &pq.Gzip, &pq.Brotli, &pq.Zstd} {
		file := write(codec)
		at := bytes.Index(file, zigzag)
		require.Positive(t, at)
		copy(file[at:], []byte{0x80, 0x80, 0x01}) // 8,192 bytes
		_, err = took(file)
		require.ErrorContains(t, err, "it says that it has 8192 bytes when it is decompressed, and has more", codec.String())
	}
}

// resealed gives the only page of a changed file, which begins at a byte, the checksum
// that fits it.
func resealed(t *testing.T, file, changed []byte, begin int) []byte {
	sum := func(page []byte) []byte { return binary.AppendVarint(nil, int64(int32(crc32.ChecksumIEEE(page)))) }
	for end := begin + 1; end < len(file); end++ {
		if at := bytes.Index(file[:begin], sum(file[begin:end])); at > 0 {
			now := sum(changed[begin:end])
			require.Len(t, now, len(sum(file[begin:end])))
			copy(changed[at:], now)
			return changed
		}
	}
	require.Fail(t, "the page has no checksum")
	return nil
}

type broken struct{ room int }

var errBroken = errors.New("disk full")

func (b *broken) Write(p []byte) (int, error) {
	n := min(len(p), b.room)
	if b.room -= n; n < len(p) {
		return n, errBroken
	}
	return n, nil
}

func TestWriteErrors(t *testing.T) {
	c := collection(t, schema(), records(vecwire.FLOAT)...)
	for _, room := range []int{0, 3, 1000} {
		_, err := parquet.Write(t.Context(), &broken{room}, c, transfer.Options{})
		require.ErrorIs(t, err, errBroken)
	}
	_, err := parquet.Write(t.Context(), io.Discard, c, transfer.Options{Filter: filter.Eq("none", 1)})
	require.ErrorAs(t, err, new(*vecwire.FilterError))
	_, err = parquet.Write(t.Context(), io.Discard, c, transfer.Options{Names: &transfer.Names{Text: "id"}})
	require.ErrorContains(t, err, "a name of its own in the file")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = parquet.Write(ctx, io.Discard, c, transfer.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// FuzzRead reads damaged files: it ends, with records or an error.
func FuzzRead(f *testing.F) {
	f.Add(fixture(f, "pyarrow.base64"))
	f.Add(fixture(f, "pyarrow-int96.base64"))
	f.Add([]byte("PAR1"))
	s := vecwire.Schema{Name: "docs", Dim: 2, Extra: "meta", Fields: []vecwire.Field{{Name: "tags", Type: vecwire.Strings}, {Name: "meta", Type: vecwire.JSON}}}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		n := 0
		for _, err := range parquet.Read(bytes.NewReader(b), int64(len(b)), s, transfer.Names{ID: "doc_id", Vector: "embedding"}) {
			if n++; n > 10_000 {
				return // a file may say that it has many
			}
			if err != nil {
				require.NotEmpty(t, err.Error())
			}
		}
	})
}
