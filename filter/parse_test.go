package filter_test

import (
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
		{`data == hex("00ff")`, filter.Eq("data", []byte{0, 255})},
		{`data == hex("")`, filter.Eq("data", []byte{})},
		{"s == `raw \\n`", filter.Eq("s", `raw \n`)},
		{`s == "\u00e9\t\x00"`, filter.Eq("s", "é\t\x00")},
		{`größe == 1`, filter.Eq("größe", int64(1))},
		{`x == 0x10`, filter.Eq("x", int64(16))},
		{`x == 1_000`, filter.Eq("x", int64(1000))},
		{`x == -9223372036854775808`, filter.Eq("x", int64(math.MinInt64))},
		{`x == 9223372036854775807`, filter.Eq("x", int64(math.MaxInt64))},
		{`x == 1.5`, filter.Eq("x", 1.5)},
		{`x == -1e-7`, filter.Eq("x", -1e-7)},
		{`x == .5`, filter.Eq("x", 0.5)},
		{`x == (1)`, filter.Eq("x", int64(1))},
		{`((x == 1))`, filter.Eq("x", int64(1))},
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
		{`a = 1`, 2, "expected"},
		{`a == 1)`, 6, "expected"},
		{`a == 1; b`, 6, "expected"},
		{`a && 1`, 5, "not a condition"},
		{`"x"`, 0, "not a condition"},
		{`nil`, 0, "not a condition"},
		{`-a`, 0, "not a condition"},
		{`a + b`, 0, "not a comparison"},
		{`1 == 2`, 0, "without a field"},
		{`true == true`, 0, "without a field"},
		{`a == b`, 5, "b is not a value: put text in quotes"},
		{`a == go`, 5, "put text in quotes"},
		{`a < nil`, 4, "nil has no order"},
		{`in(a, nil)`, 6, "nil is not a value here"},
		{`a == 'x'`, 5, "not a string in double quotes, nor a number"},
		{`a == 1i`, 5, "not a string in double quotes, nor a number"},
		{`a == 9223372036854775808`, 5, "integer out of range"},
		{`a == 1e999`, 5, "number out of range"},
		{`a == -"x"`, 5, "not a value"},
		{`a == 1 + 1`, 5, "not a value"},
		{`a.b == 1`, 0, "without a field"},
		{`a[0] == 1`, 0, "without a field"},
		{`a || b != "x" // && c == 1`, 14, "a comment"},
		{`a /* b */ == 1`, 2, "a comment"},
		{`like(a, "x")`, 0, `no function "like"`},
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
		`a == hex("00ff")`, `false`, `!true`, `1e400 < a`, "a == `x`", `a == -0.0`, `a == 0x1p-2`, `a == 'x'`, `a == "\xff"`, `((((a))))`,
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
