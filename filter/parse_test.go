package filter_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text string
		want filter.Filter
	}{
		{``, filter.Filter{}},
		{" \t\n", filter.Filter{}},
		{`true`, filter.Filter{}},
		{`false`, filter.Or()},
		{`lang == "go"`, filter.Eq("lang", "go")},
		{`lang != "go"`, filter.Ne("lang", "go")},
		{`year > 2020`, filter.Gt("year", int64(2020))},
		{`year >= 2020`, filter.Ge("year", int64(2020))},
		{`year < 2020`, filter.Lt("year", int64(2020))},
		{`year <= 2020`, filter.Le("year", int64(2020))},
		{`"go" == lang`, filter.Eq("lang", "go")},
		{`"go" != lang`, filter.Ne("lang", "go")},
		{`2020 > year`, filter.Lt("year", int64(2020))},
		{`2020 >= year`, filter.Le("year", int64(2020))},
		{`2020 < year`, filter.Gt("year", int64(2020))},
		{`2020 <= year`, filter.Ge("year", int64(2020))},
		{`draft`, filter.Eq("draft", true)},
		{`!draft`, filter.Not(filter.Eq("draft", true))},
		{`draft == false`, filter.Eq("draft", false)},
		{`true == draft`, filter.Eq("draft", true)},
		{`title == nil`, filter.IsNull("title")},
		{`nil == title`, filter.IsNull("title")},
		{`title != nil`, filter.Not(filter.IsNull("title"))},
		{`isNull(title)`, filter.IsNull("title")},
		{`in(lang, "go", "rust")`, filter.In("lang", "go", "rust")},
		{`in(lang)`, filter.In[string]("lang")},
		{`notIn(year, 1, -2, +3)`, filter.NotIn[int64]("year", 1, -2, 3)},
		{`between(year, 1990, 1999)`, filter.Between("year", int64(1990), int64(1999))},
		{`prefix(path, "net/")`, filter.Prefix("path", "net/")},
		{`contains(title, "http")`, filter.Contains("title", "http")},
		{`containsAny(tags, "go", "c")`, filter.ContainsAny("tags", "go", "c")},
		{`containsAll(tags)`, filter.ContainsAll[string]("tags")},
		{`ContainsAny(n, 1, 2)`, filter.ContainsAny[int64]("n", 1, 2)},
		{`tags == list("a", "b")`, filter.Eq("tags", []any{"a", "b"})},
		{`list(1.5) != n`, filter.Ne("n", []any{1.5})},
		{`n == list()`, filter.Eq("n", []any{})},
		{`meta.author.name == "x"`, filter.Eq("meta.author.name", "x")},
		{`1 < meta.type.range`, filter.Gt("meta.type.range", int64(1))},
		{`meta["content-type"].x != nil && !meta.draft`, filter.And(filter.Not(filter.IsNull("meta.content-type.x")), filter.Not(filter.Eq("meta.draft", true)))},
		{`containsAny(meta.tags, "go")`, filter.ContainsAny("meta.tags", "go")},
		{`like(title, "%a_")`, filter.Like("title", "%a_")},
		{`words(text, "a b")`, filter.Words("text", "a b")},
		{`data == hex("00ff")`, filter.Eq("data", []byte{0, 255})},
		{`data == hex("")`, filter.Eq("data", []byte{})},
		{"s == `raw \\n`", filter.Eq("s", `raw \n`)},
		{`s == "\u00e9\t\x00"`, filter.Eq("s", "é\t\x00")},
		{`größe == 1`, filter.Eq("größe", int64(1))},
		{`x == 0x10`, filter.Eq("x", int64(16))},
		{`x == 1_000`, filter.Eq("x", int64(1000))},
		{`x == -9223372036854775808`, filter.Eq("x", int64(math.MinInt64))},
		{`x == 9223372036854775807`, filter.Eq("x", int64(math.MaxInt64))},
		{`x == -9223372036854775809`, filter.Eq("x", json.Number("-9223372036854775809"))},
		{`x == 0xffff_ffff_ffff_ffff`, filter.Eq("x", json.Number("18446744073709551615"))},
		{`x == 1e999`, filter.Eq("x", json.Number("1e999"))},
		{`x == 1e-400`, filter.Eq("x", json.Number("1e-400"))},
		{`x == 0.10000000000000000001`, filter.Eq("x", json.Number("0.10000000000000000001"))},
		{`x == -9_007_199_254_740_993.`, filter.Eq("x", json.Number("-9007199254740993.0"))},
		{`x == .10000000000000000001e5`, filter.Eq("x", json.Number("0.10000000000000000001e5"))},
		{`x == 00.e-999`, filter.Eq("x", 0.0)},
		{`x == -0010e999`, filter.Eq("x", json.Number("-10e999"))},
		{`x == 1.e999`, filter.Eq("x", json.Number("1.0e999"))},
		{`x == 0.1`, filter.Eq("x", 0.1)},
		{`x == 1_0.50`, filter.Eq("x", 10.5)},
		{`x == 5e-324`, filter.Eq("x", 5e-324)},
		{`x == 0x1p-2`, filter.Eq("x", 0.25)},
		{`x == -0.0`, filter.Eq("x", 0.0)},
		{`x == 1e22`, filter.Eq("x", 1e22)},
		{`x == 1.5`, filter.Eq("x", 1.5)},
		{`x == -1e-7`, filter.Eq("x", -1e-7)},
		{`x == .5`, filter.Eq("x", 0.5)},
		{`x == (1)`, filter.Eq("x", int64(1))},
		{`((x == 1))`, filter.Eq("x", int64(1))},
		{"a == 1\n&& b == 2", filter.And(filter.Eq("a", int64(1)), filter.Eq("b", int64(2)))},
		{"a\r\n\r\n\t&& b\n|| c\n", filter.Or(filter.And(yes("a"), yes("b")), yes("c"))},
		{"\ufeffa == 1", filter.Eq("a", int64(1))},
		{"a == `x\n&& b`\n", filter.Eq("a", "x\n&& b")},
		{"in(a,\n\"x\"\n,\"y\"\n)", filter.In("a", "x", "y")},
		{"(\na\n)", yes("a")},
		{`a == 0`, filter.Eq("a", int64(0))},
		{`a == 0o17`, filter.Eq("a", int64(15))},
		{`a == 010.5`, filter.Eq("a", 10.5)},
		{`isnull(a) && NOTIN(b, 1)`, filter.And(filter.IsNull("a"), filter.NotIn("b", int64(1)))},
		{`null == 1 && not && and == "or" && like`, filter.And(filter.Eq("null", int64(1)), yes("not"), filter.Eq("and", "or"), yes("like"))},
		{"a == 1 &&\n b == 2", filter.And(filter.Eq("a", int64(1)), filter.Eq("b", int64(2)))},
		// && binds closer than ||, and ! closer than both.
		{`a || b && c`, filter.Or(yes("a"), filter.And(yes("b"), yes("c")))},
		{`a && b || c`, filter.Or(filter.And(yes("a"), yes("b")), yes("c"))},
		{`(a || b) && c`, filter.And(filter.Or(yes("a"), yes("b")), yes("c"))},
		{`!a && b`, filter.And(filter.Not(yes("a")), yes("b"))},
		{`!(a && b)`, filter.Not(filter.And(yes("a"), yes("b")))},
		{`!!a`, filter.Not(filter.Not(yes("a")))},
		{`a && b && c && d`, filter.And(yes("a"), yes("b"), yes("c"), yes("d"))},
		{`a || b || c || d`, filter.Or(yes("a"), yes("b"), yes("c"), yes("d"))},
		{`a && (b && c)`, filter.And(yes("a"), yes("b"), yes("c"))},
		{`true && a`, yes("a")},
		{`true || a`, filter.Filter{}},
		{`false || a`, yes("a")},
		{`false && a`, filter.And(filter.Or(), yes("a"))},
		{`!true`, filter.Not(filter.Filter{})},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := filter.Parse(tt.text)
			require.NoError(t, err)
			require.True(t, got.Equal(tt.want), "got %q, want %q", got, tt.want)
		})
	}
}

func yes(field string) filter.Filter { return filter.Eq(field, true) }

// A field may bear any name that a schema allows, also one that means something
// else in Go.
func TestParseFieldsNamedAsGoKeywords(t *testing.T) {
	for _, name := range []string{
		"type", "range", "map", "default", "package", "import", "select", "func", "return", "case", "var", "const", "interface",
		"string", "int", "len", "in", "hex", "prefix", "notIn",
	} {
		want := filter.And(filter.Eq(name, int64(1)), filter.In(name, "a"), filter.Not(yes(name)))
		got, err := filter.Parse(want.String())
		require.NoError(t, err, "%s", want)
		require.True(t, got.Equal(want), "got %q, want %q", got, want)
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		text   string
		offset int
		says   string
	}{
		{`a ==`, 4, "expected operand"},
		{`a = 1`, 2, "write == for ="},
		{`a == 1)`, 6, "expected && or || or the end"},
		{`a == 010`, 5, "010 begins with 0: write 10, or 0o10 for an octal number"},
		{`a == -08`, 6, "write 8,"},
		{`in(a, 1, 00)`, 9, "write 0,"},
		{`a == 0_7`, 5, "write 7,"},
		{`!a == 1`, 0, "put what ! negates in brackets"},
		{`1 < a < 5`, 0, "write between(a, 1, 5)"},
		{`a == 2026-01-31`, 5, `put a time in quotes`},
		{`a == 1; b`, 6, "write one filter"},
		{`a && 1`, 5, "not a condition"},
		{`"x"`, 0, "not a condition"},
		{`nil`, 0, "not a condition"},
		{`-a`, 0, "not a condition"},
		{`a + b`, 2, "not a comparison"},
		{`1 == 2`, 0, "without a field"},
		{`true == true`, 0, "without a field"},
		{`a == b`, 5, "b is not a value: put text in quotes"},
		{`a == go`, 5, "put text in quotes"},
		{`a < nil`, 4, "nil has no order"},
		{`in(a, nil)`, 6, "nil is not a value here"},
		{`a == 'x'`, 5, `use double quotes: "x"`},
		{`a == 1i`, 5, "not a string in double quotes, nor a number"},
		{`a == -"x"`, 5, "not a value"},
		{`a == 1 + 1`, 5, "not a value"},
		{`a[0] == 1`, 0, "without a field"},
		{`a || b != "x" // && c == 1`, 14, "a comment"},
		{`a /* b */ == 1`, 2, "a comment"},
		{`ilike(a, "x")`, 0, `no function "ilike"`},
		{`in()`, 0, "in needs a field"},
		{`in("a", "b")`, 3, "not a field"},
		{`between(a, 1)`, 0, "between needs a field and 2 values"},
		{`prefix(a)`, 0, "prefix needs a field and 1 value"},
		{`contains(a, "x", "y")`, 0, "contains needs"},
		{`isNull(a, 1)`, 0, "isNull needs"},
		{`in(a, b...)`, 0, "not a function"},
		{`x.in(a)`, 0, "not a function"},
		{`a == hex("0g")`, 9, "not hexadecimal"},
		{`a == hex("0")`, 9, "not hexadecimal"},
		{`a == hex(1)`, 9, "not hexadecimal"},
		{`a == hex("00", "11")`, 5, "not a value"},
		{`a == f("00")`, 5, "not a value"},
		{`func() { }`, 7, ""},
		{"a == \"\xff\"", 6, ""},
		{"a == 1\x00", 6, ""},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			_, err := filter.Parse(tt.text)
			var e *filter.Error
			require.ErrorAs(t, err, &e)
			require.Equal(t, tt.offset, e.Offset, "%v", err)
			require.Contains(t, e.Msg, tt.says)
			require.Contains(t, err.Error(), "at byte")
		})
	}
}

// What users of other query languages write is answered with what to write here,
// at the place where it stands.
func TestParseSaysWhatWasMeant(t *testing.T) {
	tests := []struct {
		text   string
		offset int
		says   string
	}{
		// SQL
		{`a == 1 AND b == 2`, 7, "write && for AND"},
		{`a == 1 or b == 2`, 7, "write || for or"},
		{`NOT a == 1`, 0, "write ! for NOT"},
		{`not (a == 1)`, 0, "write ! for not"},
		{`a == 1 && NOT b`, 10, "write ! for NOT"},
		{`lang = "go"`, 5, "write == for ="},
		{`lang <> "go"`, 5, "write != for <>"},
		{`lang == 'go'`, 8, `use double quotes: "go"`},
		{`lang = 'go' AND year > 2020`, 5, "write == for ="},
		{`lang in ("go", "c")`, 5, "write in(lang, …)"},
		{`lang IN ('go')`, 5, "write in(lang, …)"},
		{`lang NOT IN ("go")`, 5, "write notIn(lang, …)"},
		{`lang IS NULL`, 5, "write isNull(lang)"},
		{`lang is not null`, 5, "write !isNull(lang)"},
		{`year BETWEEN 1 AND 2`, 5, "write between(year, low, high)"},
		{`title LIKE 'x%'`, 6, `write prefix(title, "x")`},
		{`title like "%x%"`, 6, `write contains(title, "x")`},
		{`title LIKE 'x'`, 6, `write title == "x"`},
		{`title LIKE '%x_y'`, 6, "write prefix(title, …) or contains(title, …)"},
		{`title NOT LIKE '%x%'`, 6, `!(…) and in the brackets contains(title, "x")`},
		{`WHERE a == 1`, 0, "leave out WHERE"},
		{`a == ?`, 5, "no placeholders"},
		{`a == $1`, 5, "no placeholders"},
		{`a == 1;`, 6, "write one filter"},
		// Python, JavaScript, JSON
		{`lang == null`, 8, "write isNull(lang)"},
		{`lang == None`, 8, "write isNull(lang)"},
		{`lang != NULL`, 8, "write !isNull(lang)"},
		{`null != lang`, 0, "write !isNull(lang)"},
		{`lang == undefined`, 8, "write isNull(lang)"},
		{`a == 1 && lang == NIL`, 18, "write isNull(lang)"},
		{`a === 1`, 2, "write == for ==="},
		{`a !== 1`, 2, "write != for !=="},
		{`a & b`, 2, "write && for &"},
		{`a | b`, 2, "write || for |"},
		{`draft == True`, 9, "write true"},
		{`draft == FALSE`, 9, "write false"},
		{`in(lang, ["go", "c"])`, 9, "without brackets"},
		{`lang in ["go", "c"]`, 5, "write in(lang, …)"},
		{`"x" in title`, 4, `write contains(title, "x")`},
		{`title.startswith("x")`, 0, "write prefix"},
		{`title.includes("x")`, 0, "write contains"},
		{`startsWith(title, "x")`, 0, "write prefix"},
		{`not_in(a, 1)`, 0, "write notIn"},
		{`{"lang": "go"}`, 0, "no JSON"},
		// Lucene and others
		{`lang: "go"`, 4, "write == for :"},
		{`a == 1, b == 2`, 6, "write && or ||"},
		{`title ~ "x"`, 6, "no regular expressions"},
		{`title contains "x"`, 6, "write contains(title, …)"},
		{"lang == “go”", 8, "straight double quotes"},
		{"lang ≠ 1", 5, "write != for ≠"},
		{"year ≥ 1", 5, "write >= for ≥"},
		{`year <-1`, 5, "a space between < and -"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			_, err := filter.Parse(tt.text)
			var e *filter.Error
			require.ErrorAs(t, err, &e)
			require.Contains(t, e.Msg, tt.says)
			require.Equal(t, tt.offset, e.Offset, "%v", err)
		})
	}
}

func TestParseRefusesWhatIsTooLongOrTooDeep(t *testing.T) {
	var e *filter.Error
	_, err := filter.Parse(strings.Repeat(" ", 1<<20) + "a")
	require.ErrorAs(t, err, &e, "text beyond the limit")

	// Deep text is either refused here or by Check, and overflows no stack.
	for _, text := range []string{strings.Repeat("!", 500_000) + "a", strings.Repeat("(", 500_000) + "a" + strings.Repeat(")", 500_000)} {
		if _, err = filter.Parse(text); err != nil {
			require.ErrorAs(t, err, &e)
		}
	}
	f, err := filter.Parse(strings.Repeat("!", 1000) + "a")
	if err == nil {
		_, err = f.Check(typeOf)
	}
	require.ErrorAs(t, err, &e)

	long, err := filter.Parse(strings.Repeat("b || ", 50_000) + "b")
	require.NoError(t, err, "a long chain is not deep")
	require.Len(t, long.Args(), 50_001)
}

func TestStringReadsBackAsTheSameFilter(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		f := randomFilter(rnd, 4)
		want, err := f.Check(typeOf)
		require.NoError(t, err, "%s", f)
		for _, written := range []filter.Filter{f, want} {
			text := written.String()
			parsed, err := filter.Parse(text)
			require.NoError(t, err, "%s", text)
			got, err := parsed.Check(typeOf)
			require.NoError(t, err, "%s", text)
			require.True(t, got.Equal(want), "%s\nreads back as\n%s", want, got)
		}
	}
}

// What a user puts into a filter may be of another Go type than the one that
// stands for the field's.
func TestStringOfUncheckedValues(t *testing.T) {
	type lang string
	for _, f := range []filter.Filter{
		filter.Eq("s", lang(`g"o`)), filter.In("s", lang("a"), lang("b")), filter.Eq("i", uint8(7)), filter.Eq("i", time.Second),
		filter.Eq("f", float32(0.1)), filter.Eq("f", float32(3)), filter.Eq("f", 7),
		filter.Eq("i", json.Number("9007199254740993")), filter.Eq("f", json.Number("-1.5e3")), filter.Eq("f", json.Number("2")),
		filter.Eq("t", time.Date(2024, 2, 3, 4, 5, 6, 7000, time.FixedZone("x", 3600))),
	} {
		want, err := f.Check(typeOf)
		require.NoError(t, err)
		parsed, err := filter.Parse(f.String())
		require.NoError(t, err, "%s", f)
		got, err := parsed.Check(typeOf)
		require.NoError(t, err, "%s", f)
		require.True(t, got.Equal(want), "%s, written from %s, reads back as %s", f, want, got)
	}
}

// randomFilter returns a filter that fits typeOf.
func randomFilter(rnd *rand.Rand, depth int) filter.Filter {
	if depth > 0 && rnd.IntN(2) == 0 {
		switch rnd.IntN(3) {
		case 0:
			return filter.Not(randomFilter(rnd, depth-1))
		case 1:
			return filter.And(randomFilters(rnd, depth-1)...)
		default:
			return filter.Or(randomFilters(rnd, depth-1)...)
		}
	}
	if rnd.IntN(12) == 0 {
		return filter.Filter{}
	}
	fields := []string{"s", "i", "f", "b", "t", "y"}
	field := fields[rnd.IntN(len(fields))]
	v := func() any { return randomValue(rnd, field) }
	ops := []func() filter.Filter{
		func() filter.Filter { return filter.Eq(field, v()) },
		func() filter.Filter { return filter.Ne(field, v()) },
		func() filter.Filter { return filter.IsNull(field) },
		func() filter.Filter { return filter.In[any](field) },
		func() filter.Filter { return filter.In(field, v(), v()) },
		func() filter.Filter { return filter.NotIn(field, v(), v(), v()) },
	}
	if field != "b" && field != "y" {
		ops = append(ops,
			func() filter.Filter { return filter.Gt(field, v()) },
			func() filter.Filter { return filter.Ge(field, v()) },
			func() filter.Filter { return filter.Lt(field, v()) },
			func() filter.Filter { return filter.Le(field, v()) },
			func() filter.Filter { return filter.Between(field, v(), v()) },
		)
	}
	if field == "s" {
		ops = append(ops,
			func() filter.Filter { return filter.Prefix(field, v().(string)) },
			func() filter.Filter { return filter.Contains(field, v().(string)) },
		)
	}
	return ops[rnd.IntN(len(ops))]()
}

func randomFilters(rnd *rand.Rand, depth int) []filter.Filter {
	filters := make([]filter.Filter, rnd.IntN(4))
	for i := range filters {
		filters[i] = randomFilter(rnd, depth)
	}
	return filters
}

func randomValue(rnd *rand.Rand, field string) any {
	pick := func(values ...any) any { return values[rnd.IntN(len(values))] }
	switch field {
	case "s":
		return pick("", "go", `"quoted" \ 'x'`, "line\nbreak\ttab\r", "日本語 😀 é", "`", "\u2028\ufeff\x7f", "%_", " 12 ")
	case "i":
		return pick(int64(0), int64(math.MinInt64), int64(math.MaxInt64), int64(-7), rnd.Int64())
	case "f":
		return pick(0.0, 1.0, -2.5, 1e21, 1e-300, math.MaxFloat64, math.SmallestNonzeroFloat64, 0.1, rnd.NormFloat64(), 123456789.0)
	case "b":
		return rnd.IntN(2) == 0
	case "t":
		return pick(time.Unix(0, 0).UTC(), time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC),
			time.UnixMicro(rnd.Int64N(4e15)-2e15).UTC())
	default:
		return pick([]byte{}, []byte{0}, []byte("abc\xff"))
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		``, `a == "x" && b >= 2.5`, `!(a || between(b, 1, 2)) && c != nil`, `in(a, "x", "y")`, `notIn(a)`, `prefix(a, "\\")`,
		`a == hex("00ff")`, `false`, `!true`, `1e400 < a`, "a == `x`", `containsAny(l, "x", 1)`, `m.a["b c"].type == 1.5 || m[""] != nil`, `m[0] == 1`, `m["a.b"]`, `"x".a == 1`, `a.b(1)`, `l == list("x", hex("00"), -1.5)`, `a == list(list())`, `a == -0.0`, `a == 0x1p-2`, `a == 'x'`, `a == "\xff"`, `((((a))))`,
		`a(b)(c)`, `a == func(){}`, `[]int{1}`, "a\n&& b", `a // comment`, `a /* x */ == 1`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := filter.Parse(text)
		if err != nil {
			var e *filter.Error
			require.ErrorAs(t, err, &e)
			require.GreaterOrEqual(t, e.Offset, 0)
			require.LessOrEqual(t, e.Offset, len(text))
			return
		}
		written := parsed.String()
		again, err := filter.Parse(written)
		require.NoError(t, err, "%q was written as %q", text, written)
		require.True(t, again.Equal(parsed), "%q was written as %q, which reads as %q", text, written, again)
		_, _ = parsed.Check(typeOf) // must not panic
	})
}

// TestParseKeyWithDot says why a key cannot be named.
func TestParseKeyWithDot(t *testing.T) {
	for _, text := range []string{`meta["a.b"] == 1`, `1 < meta["a.b"]`} {
		_, err := filter.Parse(text)
		require.ErrorContains(t, err, "a key with a dot cannot be named")
	}
}
