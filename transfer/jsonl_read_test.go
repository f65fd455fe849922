package transfer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

var testSchema = vecwire.Schema{Name: "docs", Dim: 2, Fields: []vecwire.Field{
	{Name: "s"}, {Name: "i", Type: vecwire.Int}, {Name: "f", Type: vecwire.Float},
	{Name: "b", Type: vecwire.Bool}, {Name: "t", Type: vecwire.Time}, {Name: "y", Type: vecwire.Bytes},
}}

func readAll(in string, s vecwire.Schema) (out []vecwire.Record, errs []error) {
	for r, err := range ReadJSONL(strings.NewReader(in), s) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		out = append(out, r)
	}
	return out, errs
}

func TestReadJSONL(t *testing.T) {
	vector := []float32{1, -2.5}
	for line, want := range map[string]vecwire.Record{
		`{"id":"1","vector":[1,-2.5],"text":"t","fields":{"s":"x"}}`:                                         {ID: "1", Vector: vector, Text: "t", Fields: vecwire.Fields{"s": "x"}},
		" { \"fields\" : { \"s\" : \"x\" , \"i\" : 1 } ,\t\"vector\" : [ 1 , -25e-1 ] , \"id\" : \"1\" } \r": {ID: "1", Vector: vector, Fields: vecwire.Fields{"s": "x", "i": int64(1)}},
		`{"id":"1"}`:                         {ID: "1"},
		`{"id":"1","vector":"AACAPwAAIMA="}`: {ID: "1", Vector: vector},
		`{"id":"1","vector":null,"text":null,"fields":null}`:        {ID: "1"},
		`{"id":"1","fields":{}}`:                                    {ID: "1"},
		`{"id":"1","fields":{"s":null,"y":null}}`:                   {ID: "1"},
		`{"\u0069d":"\u0031","text":"\ud83d\ude00\ufffd\\ud800\""}`: {ID: "1", Text: "😀\ufffd\\ud800\""},
		`{"id":"1","fields":{"i":9223372036854775807}}`:             {ID: "1", Fields: vecwire.Fields{"i": int64(math.MaxInt64)}},
		`{"id":"1","fields":{"i":-9007199254740993.000}}`:           {ID: "1", Fields: vecwire.Fields{"i": int64(-9007199254740993)}},
		`{"id":"1","fields":{"f":1e-400,"b":false,"y":"","s":""}}`:  {ID: "1", Fields: vecwire.Fields{"f": 0.0, "b": false, "y": []byte{}, "s": ""}},
		`{"id":"1","text":"]}{[,","fields":{"s":"}\"]\\"}}`:         {ID: "1", Text: "]}{[,", Fields: vecwire.Fields{"s": `}"]\`}},
	} {
		for _, end := range []string{"", "\n", "\r\n\r\n \n"} {
			got, errs := readAll(line+end, testSchema)
			require.Empty(t, errs, line)
			require.Equal(t, []vecwire.Record{want}, got, line)
		}
	}
	got, errs := readAll("", testSchema)
	require.Empty(t, got)
	require.Empty(t, errs)
	got, errs = readAll("\ufeff{\"id\":\"bom\"}", testSchema)
	require.Empty(t, errs)
	require.Equal(t, "bom", got[0].ID)

	double := testSchema
	double.Element = vecwire.DOUBLE
	got, _ = readAll(`{"id":"1","vector":[0.1,-0]}`, double)
	require.Equal(t, []float64{0.1, 0}, got[0].Vector64)
	require.True(t, math.Signbit(got[0].Vector64[1]))
	got, _ = readAll(`{"id":"1","vector":"AAAAAAAA8D8="}`, double)
	require.Equal(t, []float64{1}, got[0].Vector64)
	got, _ = readAll(`{"id":"1","vector":"\/\/\/\/PgAAIMA="}`, testSchema)
	require.Len(t, got[0].Vector, 2)
	named := testSchema
	named.Vectors = []vecwire.VectorField{{Name: "title", Dim: 1}}
	got, _ = readAll(`{"id":"1","vectors":{"title":"AACAPw=="}}`, named)
	require.Equal(t, map[string][]float32{"title": {1}}, got[0].Vectors)
}

func TestReadJSONLRefuses(t *testing.T) {
	deep := strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000)
	for line, want := range map[string]string{
		`{`:                                 "not a JSON object: unexpected end of JSON input",
		`{"id":"1"} {"id":"2"}`:             "not a JSON object: invalid character '{' after top-level value",
		`{"id":"1",}`:                       "not a JSON object: invalid character '}' looking for beginning of object key string",
		`{'id':'1'}`:                        `not a JSON object: invalid character '\'' looking for beginning of object key string`,
		`["id"]`:                            "not a JSON object, but an array",
		`null`:                              "not a JSON object, but null",
		`7`:                                 "not a JSON object, but a number",
		`"id"`:                              "not a JSON object, but a string",
		"{\"id\":\"\xff\"}":                 "not valid UTF-8",
		`{"id":"1","vector":[NaN,1]}`:       "not a JSON object: invalid character 'N' looking for beginning of value",
		`{"id":"1","vector":` + deep + `}`:  "not a JSON object: invalid character '[' exceeded max depth",
		`{"id":"1","id":"2"}`:               "id is there twice, want one value",
		`{"id":"1","i\u0064":"2"}`:          "id is there twice, want one value",
		`{"id":"1","text":null,"text":"2"}`: "text is there twice, want one value",
		`{"id":"1","embedding":[1,2]}`:      `key is "embedding", want "id", "vector", "text", "fields" or "vectors"`,
		`{"id":"1","ID":"1"}`:               `key is "ID", want "id", "vector", "text", "fields" or "vectors"`,
		`{"vector":[1,2]}`:                  "id is nothing, want a String that is not empty",
		`{"id":1}`:                          "id is 1, want String",
		`{"id":{"a":1}}`:                    "id is an object, want String",
		`{"id":"\ud800"}`:                   "id is one with half a surrogate pair, want String in valid UTF-8",
		`{"id":"\udc00\ud800"}`:             "id is one with half a surrogate pair",
		`{"id":"\ud800\ud800\udc00"}`:       "id is one with half a surrogate pair",
		`{"id":"\ud800x\udc00"}`:            "id is one with half a surrogate pair",
		`{"id":"\\ud800\ud800"}`:            "id is one with half a surrogate pair",
		`{"\ud800":1}`:                      "key is one with half a surrogate pair",
		`{"id":"1","text":["a"]}`:           "text is an array, want String",
		`{"id":"1","vector":"[1,2]"}`:       `vector is "[1,2]", want an array of numbers, or base64 of 4 bytes for each`,
		`{"id":"1","vector":"AACAPwA="}`:    `vector is "AACAPwA=", want an array of numbers, or base64 of 4 bytes for each`,
		`{"id":"1","vector":""}`:            `vector is "", want an array of numbers, or base64 of 4 bytes for each`,
		`{"id":"1","vector":{}}`:            `vector is an object, want an array of numbers, or base64 of 4 bytes for each`,
		`{"id":"1","vector":[]}`:            "vector: want a number at byte 1",
		`{"id":"1","vector":["1"]}`:         "vector: want a number at byte 1",
		`{"id":"1","vector":[1,[2]]}`:       "vector: want a number at byte 3",
		`{"id":"1","vector":[1,null]}`:      "vector: want a number at byte 3",
		`{"id":"1","vector":[1e39,1]}`:      "vector: number is out of the range of FLOAT at byte 1",
		`{"id":"1","vector":[` + strings.Repeat("1", 1000) + `]}`:     "vector: number is longer than 800 bytes at byte 1",
		`{"id":"1","fields":[]}`:                                      "fields is an array, want an object",
		`{"id":"1","fields":{"none":1}}`:                              `schema of "docs": field "none" does not exist`,
		`{"id":"1","fields":{"none":null}}`:                           `schema of "docs": field "none" does not exist`,
		`{"id":"1","fields":{"S":"x"}}`:                               `schema of "docs": field "S" does not exist`,
		`{"id":"1","fields":{"s":"x","s":"x"}}`:                       "s is there twice, want one value",
		`{"id":"1","fields":{"s":null,"s":"x"}}`:                      "s is there twice, want one value",
		`{"id":"1","fields":{"s":7}}`:                                 "s is 7, want String",
		`{"id":"1","fields":{"s":"\u0000"}}`:                          `s is String "\x00", want String without NUL`,
		`{"id":"1","fields":{"s":"\udfff"}}`:                          "s is one with half a surrogate pair",
		`{"id":"1","fields":{"i":"7"}}`:                               `i is String "7", want Int`,
		`{"id":"1","fields":{"i":1.5}}`:                               "i is 1.5, want Int",
		`{"id":"1","fields":{"i":1e3}}`:                               "i is 1e3, want Int",
		`{"id":"1","fields":{"i":9223372036854775808}}`:               "i is 9223372036854775808, want Int",
		`{"id":"1","fields":{"i":true}}`:                              "i is true, want Int",
		`{"id":"1","fields":{"i":` + strings.Repeat("1", 1000) + `}}`: "i is " + strings.Repeat("1", 40) + "… (1000 bytes), want Int",
		`{"id":"1","fields":{"f":1e400}}`:                             "f is 1e400, want Float",
		`{"id":"1","fields":{"f":"1"}}`:                               `f is String "1", want Float`,
		`{"id":"1","fields":{"f":{"a":[1,{}]}}}`:                      "f is an object, want Float",
		`{"id":"1","fields":{"b":0}}`:                                 "b is 0, want Bool",
		`{"id":"1","fields":{"t":"yesterday"}}`:                       `t is String "yesterday", want Time`,
		`{"id":"1","fields":{"t":1700000000}}`:                        "t is 1700000000, want Time",
		`{"id":"1","fields":{"y":"%%%"}}`:                             `y is "%%%", want Bytes in base64`,
		`{"id":"1","fields":{"y":[1,2]}}`:                             "y is an array, want Bytes",
	} {
		got, errs := readAll("{\"id\":\"0\"}\n\n"+line+"\n{\"id\":\"2\"}", testSchema)
		require.Len(t, errs, 1, line)
		require.ErrorContains(t, errs[0], "line 3: "+want)
		refused, ok := errors.AsType[*vecwire.RecordError](errs[0])
		require.True(t, ok)
		require.Equal(t, 1, refused.Index)
		require.Contains(t, []string{"", "1"}, refused.ID)
		require.Len(t, got, 2, "the lines around are read")
	}
	_, errs := readAll(`{"id":"1","fields":{"i":"7"}}`, testSchema)
	require.EqualError(t, errs[0], `record 0 (id "1"): line 1: i is String "7", want Int`)
	require.ErrorAs(t, errs[0], new(*vecwire.ValueError))
}

func TestReadJSONLGoesOn(t *testing.T) {
	in := ReadJSONL(strings.NewReader("{\"id\":\"0\"}\n{\"id\":\"1\"}\n{"), testSchema)
	for r := range in {
		require.Equal(t, "0", r.ID)
		break
	}
	for r, err := range in {
		require.NoError(t, err)
		require.Equal(t, "1", r.ID)
		break
	}
	for _, err := range in {
		require.ErrorContains(t, err, "record 2")
	}
	for range in {
		t.Fatal("nothing is left")
	}
}

func TestReadJSONLKeepsTheReadersError(t *testing.T) {
	bad := errors.New("disk on fire")
	in := ReadJSONL(io.MultiReader(strings.NewReader("{\"id\":\"0\"}\n{\"id\""), iotest.ErrReader(bad)), testSchema)
	for range 2 {
		var last error
		n := 0
		for _, err := range in {
			last = err
			n++
		}
		require.ErrorIs(t, last, bad)
		require.EqualError(t, last, "transfer: read line 2: disk on fire")
		require.LessOrEqual(t, n, 2)
	}
}

// TestLongLines passes over a line that is too long, and holds one that is not.
func TestLongLines(t *testing.T) {
	for _, size := range []int{100, 70_000, 200_000} {
		long := `{"id":"` + strings.Repeat("x", size-9) + `"}`
		for _, end := range []string{"", "\n", "\r\n", "\n{\"id\":\"2\"}"} {
			for _, tooLong := range []int{0, 1} {
				d := newDecoder(strings.NewReader("{\"id\":\"0\"}\n"+long+end), testSchema)
				d.lines.max = size + len(end[:len(end)-len(strings.TrimLeft(end, "\r\n"))]) - tooLong
				_, err := d.next()
				require.NoError(t, err)
				r, err := d.next()
				if tooLong > 0 {
					require.ErrorIs(t, err, errLongLine)
					require.ErrorContains(t, err, "record 1 (id \"\"): line 2: line is too long: it has")
				} else {
					require.NoError(t, err)
					require.Len(t, r.ID, size-9)
				}
				r, err = d.next()
				if strings.HasSuffix(end, "}") {
					require.NoError(t, err)
					require.Equal(t, "2", r.ID)
				} else {
					require.Equal(t, io.EOF, err)
				}
			}
		}
	}
}

func TestWriteRefusesLongLines(t *testing.T) {
	e := newLineEncoder(testSchema)
	e.max = 20
	line, err := e.encode(vecwire.Record{ID: "1234567890"})
	require.NoError(t, err)
	require.Len(t, line, 20)
	_, err = e.encode(vecwire.Record{ID: "12345678901"})
	require.EqualError(t, err, "line has 21 bytes, want at most 20")
	e.max = MaxLine
	for _, r := range []vecwire.Record{{ID: "\xff"}, {ID: "1", Text: "\xff"}, {ID: "1", Fields: vecwire.Fields{"s": "\xff"}}, {ID: "1", Fields: vecwire.Fields{"f": math.NaN()}}} {
		_, err = e.encode(r)
		require.Error(t, err)
	}
}

// FuzzReadJSONL reads anything: what is read is what encoding/json reads, and
// can be written and read again.
func FuzzReadJSONL(f *testing.F) {
	for _, s := range []string{
		`{"id":"1","vector":[1,-2.5],"text":"t","fields":{"s":"x","i":9007199254740993,"f":1e-7,"b":true,"t":"2024-02-29T23:59:59.123456Z","y":"AP8="}}`,
		" { \"fields\" : { } , \"id\":\"\\ud83d\\ude00\"}\r\n\n{\"id\":\"2\",\"vector\":[[1],{}]}", `{"id":"1","text":"\\\"}{"}`, `{"id":1e999}`,
		`{"id":"1","fields":{"s":{"a":["]",{"b":"}"}]}}}`, "{\"id\":\"\xff\"}", `{"vecwire":1,"schema":{"name":"docs","dim":2,"element":"FLOAT","metric":"l2"}}`,
		`[[[[`, `{"id":"\ud800"}`, `{"id":"a","id":"b"}`, "\ufeff{}", "", "\n\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		e := newLineEncoder(testSchema)
		n := 0
		for r, err := range ReadJSONL(bytes.NewReader(b), testSchema) {
			if err != nil {
				if refused, ok := errors.AsType[*vecwire.RecordError](err); ok {
					require.Equal(t, n, refused.Index)
				}
				n++
				continue
			}
			n++
			line, err := e.encode(r)
			if err != nil { // the collection refuses it too
				require.True(t, strings.ContainsRune(r.ID+r.Text, 0))
				continue
			}
			again, errs := readAll(string(line), testSchema)
			require.Empty(t, errs)
			require.Equal(t, []vecwire.Record{r}, again)
			require.Equal(t, codec.AppendBlob(nil, r.Vector), codec.AppendBlob(nil, again[0].Vector))
		}
	})
}

// FuzzMembers compares the members of an object with those that encoding/json finds.
func FuzzMembers(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":1}`, ` {"a" : [1,{"b":"]"}] , "c":"\"}", "d":{}, "e":-1.5e+7,"f":null }`, `{"a":"\\"}`, `{"":[]}`, `{"a":[` + strings.Repeat("1.5, ", 20) + `2] ,"b":"[` + strings.Repeat("1,", 40) + `2]","c":[[` + strings.Repeat("0.5,", 30) + `1]]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		lists := longLists{schema: vecwire.Schema{Dim: 3, Vectors: make([]vecwire.VectorField, 2)}}
		lists.begin(b)
		if checkObject(b, &lists) != nil {
			return
		}
		want := map[string]json.RawMessage{}
		require.NoError(t, json.Unmarshal(b, &want))
		got := map[string]json.RawMessage{}
		for key, value := range members(trim(b), &lists) {
			var name string
			require.NoError(t, json.Unmarshal(key, &name))
			got[name] = value
			if list := lists.of(value); list != nil {
				numbers, err := codec.ParseText([]float32(nil), value)
				require.NoError(t, err)
				require.Equal(t, numbers, list.numbers)
			}
		}
		require.Equal(t, want, got)
	})
}

func FuzzReadSchema(f *testing.F) {
	f.Add([]byte(`{"vecwire":1,"schema":{"name":"docs","dim":2,"element":"DOUBLE","metric":"dot","model":"m","fields":[{"name":"s","type":"Time","index":true}]}}`))
	f.Add([]byte(`{"vecwire":2}`))
	f.Add([]byte(`{"vecwire":`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadSchema(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		var out bytes.Buffer
		require.NoError(t, WriteSchema(&out, s))
		again, err := ReadSchema(bufio.NewReader(&out))
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}
