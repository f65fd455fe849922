package chunk

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
)

// texts returns what the chunks are, for tests that read them.
func texts(chunks []Chunk) []string {
	var out []string
	for _, c := range chunks {
		out = append(out, c.Text)
	}
	return out
}

func TestSplitPlain(t *testing.T) {
	runes := utf8.RuneCountInString
	for _, tt := range []struct {
		name string
		text string
		o    Options
		want []string
	}{
		{"empty", "", Options{}, nil},
		{"white space", " \n\t\n ", Options{}, nil},
		{"one chunk", "One. Two.\n", Options{}, []string{"One. Two."}},
		{"between paragraphs", "One two three.\n\nFour five. Six.", Options{Size: 24, Count: runes}, []string{"One two three.", "Four five. Six."}},
		{"between sentences", "One two three. Four five six. Seven.", Options{Size: 30, Count: runes}, []string{"One two three. Four five six.", "Seven."}},
		{"between words", "one two three four", Options{Size: 9, Count: runes}, []string{"one two", "three", "four"}},
		{"inside a word", "abcdefghij", Options{Size: 4, Count: runes}, []string{"abcd", "efgh", "ij"}},
		{"runes stay whole", "日本語日本語", Options{Size: 4, Count: runes}, []string{"日本語日", "本語"}},
		{"ideographic stops", "今日は。元気です！はい", Options{Size: 6, Count: runes}, []string{"今日は。", "元気です！", "はい"}},
		{"overlap", "One one. Two two. Three. Four.", Options{Size: 20, Overlap: 10, Count: runes}, []string{"One one. Two two.", "Two two. Three.", "Three. Four."}},
		{"overlap of words", "a b c d e f g", Options{Size: 6, Overlap: 2, Count: runes}, []string{"a b c", "c d e", "e f g"}},
		{"overlap that leaves room", "Zz zz zz zz. Aa. Bb. Cc cc cc cc cc.", Options{Size: 21, Overlap: 10, Count: runes}, []string{"Zz zz zz zz. Aa. Bb.", "Bb. Cc cc cc cc cc."}},
		{"the indentation of a line stays", "if x {\n\n\n    return\n}", Options{Size: 12, Count: runes}, []string{"if x {", "    return\n}"}},
		{"a rune that counts more than Size", "日本", Options{Size: 1, Count: func(s string) int { return len(s) }}, []string{"日", "本"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chunks, err := Split(tt.text, tt.o)
			require.NoError(t, err)
			require.Equal(t, tt.want, texts(chunks))
		})
	}
}

func TestSentences(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"One. Two! Three? Four", []string{"One. ", "Two! ", "Three? ", "Four"}},
		{"It is 3.141. And e.g. this goes on.", []string{"It is 3.141. ", "And e.g. this goes on."}},
		{"J. R. R. Tolkien wrote. He did.", []string{"J. R. R. Tolkien wrote. ", "He did."}},
		{"1. First\n2. Second", []string{"1. First\n2. Second"}},
		{"He said “go.” (Then he went.) So.", []string{"He said “go.” ", "(Then he went.) ", "So."}},
		{"Wait... what? Yes... No.", []string{"Wait... what? ", "Yes... ", "No."}},
		{"A line\nthat is wrapped. Next", []string{"A line\nthat is wrapped. ", "Next"}},
		{"元気です。「はい。」次", []string{"元気です。", "「はい。」", "次"}},
		{"see example.com for\xff more. Done", []string{"see example.com for\xff more. ", "Done"}},
	} {
		var got []string
		at := 0
		for end := range sentences(tt.text) {
			got = append(got, tt.text[at:end])
			at = end
		}
		require.Equal(t, tt.want, got)
	}
}

func TestSplitRefusesOptions(t *testing.T) {
	for _, o := range []Options{{Size: -1}, {Overlap: -1}, {Size: 10, Overlap: 6}, {Overlap: 101}} {
		_, err := Split("text", o)
		var value *codec.ValueError
		require.True(t, errors.As(err, &value), "%+v", o)
		require.Contains(t, []string{"Size", "Overlap"}, value.Field)
	}
}

// counts are ways to count, the last two of which no tokenizer has: parts that
// count less together than apart, and more.
var counts = map[string]func(string) int{
	"tokens": EstimateTokens,
	"runes":  utf8.RuneCountInString,
	"bytes":  func(s string) int { return len(s) },
	"padded": func(s string) int { return len(strings.Fields(s)) + 2 },
	"dear":   func(s string) int { return len(s) * (1 + len(s)/16) },
	"none":   func(string) int { return 0 },
}

// verify checks everything that Split promises of any text and options.
func verify(t *testing.T, text string, o Options, count string) {
	t.Helper()
	o.Count = counts[count]
	chunks, err := Split(text, o)
	require.NoError(t, err)
	o, err = o.withDefaults()
	require.NoError(t, err)
	reached := textStart(text)
	for i, c := range chunks {
		require.Equal(t, text[c.Start:c.End], c.Text)
		require.NotEmpty(t, strings.TrimSpace(c.Text))
		if o.Count(c.Text) > o.Size {
			require.Equal(t, 1, utf8.RuneCountInString(c.Text), "%s: chunk %d counts %d of %d: %q", count, i, o.Count(c.Text), o.Size, c.Text)
		}
		if c.Start > reached {
			require.Empty(t, strings.TrimSpace(text[reached:c.Start]), "left out before chunk %d", i)
		} else if i > 0 && o.Overlap == 0 {
			require.Equal(t, reached, c.Start, "chunks overlap")
		}
		if c.Start < reached && o.Count(text[c.Start:reached]) > o.Overlap && count != "padded" && count != "dear" {
			require.Fail(t, "overlap too large", "%s: %d of %d", count, o.Count(text[c.Start:reached]), o.Overlap)
		}
		require.Greater(t, c.End, reached)
		if utf8.ValidString(text) {
			require.True(t, utf8.ValidString(c.Text), "cut inside a rune: %q", c.Text)
		}
		reached = c.End
	}
	require.Empty(t, strings.TrimSpace(text[reached:]), "left out at the end")
}

// parts are what the random texts of the property test are made of.
var parts = []string{
	"# A\n", "## B #\n", "### C\n", "Title\n===\n", "two\nlines\n---\n", "```go\n", "```\n", "~~~~\n", "- a\n", "  - b\n", "1. one\n",
	"> quote\n", "| a | b |\n", "    code\n", "\t# tab\n", "---\n", "<!-- # x\n", "<pre>\n", "</pre>", "<div>\n", "<?", "<![CDATA[", "]]>", "<!D", "<b>\n", "\r", "\ufeff", "k: v\n", "\n", "\n\n", "   ", "\r\n", " ", ". ", "! ", "。", "word ",
	"Another sentence, longer than the rest. ", "日本語", "👩‍👩‍👧", "é", "\xff", "\xe2\x82", "supercalifragilisticexpialidocious", "\v", "\u2028", "\u00a0", "#", "`", "-",
}

func TestSplitKeepsItsPromises(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		var b strings.Builder
		for range r.IntN(60) {
			b.WriteString(parts[r.IntN(len(parts))])
		}
		o := Options{Size: 1 + r.IntN(60), Markdown: r.IntN(2) == 0}
		o.Overlap = r.IntN(o.Size/2 + 1)
		for count := range counts {
			verify(t, b.String(), o, count)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("# A\n\nOne. Two.\n\n```\n# no\n```\n- x\n", uint8(10), uint8(3), true)
	f.Add("日本語。日本\xff語", uint8(2), uint8(1), false)
	f.Add("a"+strings.Repeat(" ", 100)+"b", uint8(7), uint8(0), true)
	f.Add("\ufeff---\ra: b\r---\r# A\r<pre>\r\r# no\r</pre>\r", uint8(9), uint8(2), true)
	f.Add("- - - a\n     ```\n> x\ny\n---\n", uint8(5), uint8(2), true)
	f.Fuzz(func(t *testing.T, text string, size, overlap uint8, markdown bool) {
		o := Options{Size: 1 + int(size), Markdown: markdown}
		o.Overlap = int(overlap) % (o.Size/2 + 1)
		for count := range counts {
			verify(t, text, o, count)
		}
	})
}

// TestSplitIsLinear counts what is done, as time on a shared machine proves
// nothing: a text twice as long may take twice the bytes counted and not more.
func TestSplitIsLinear(t *testing.T) {
	for name, text := range map[string]func(n int) string{
		"prose":       func(n int) string { return strings.Repeat("A sentence of six words. ", n/25) },
		"one word":    func(n int) string { return strings.Repeat("x", n) },
		"spaces":      func(n int) string { return "a." + strings.Repeat(" ", n) },
		"brackets":    func(n int) string { return "a." + strings.Repeat(")", n) },
		"fences":      func(n int) string { return strings.Repeat("```\n", n/4) },
		"headings":    func(n int) string { return strings.Repeat("# a\n", n/4) },
		"nested list": func(n int) string { return strings.Repeat("- ", n/2) },
		"items, text": func(n int) string { return strings.Repeat("- ", n/2) + "x" },
		"tabs":        func(n int) string { return strings.Repeat("\t- a\n", n/5) },
		"quotes":      func(n int) string { return strings.Repeat(">", n) },
		"underlines":  func(n int) string { return strings.Repeat("a\n-\n", n/4) },
		"long title":  func(n int) string { return strings.Repeat("a\n", n/2) + "===" },
		"tags":        func(n int) string { return strings.Repeat("<pre>\n</pre\n", n/12) },
		"raw ends":    func(n int) string { return "<pre>" + strings.Repeat("</", n/2) },
		"one tag":     func(n int) string { return "<a" + strings.Repeat(" b=c", n/4) },
		"CR":          func(n int) string { return strings.Repeat("a\r", n/2) },
		"matter":      func(n int) string { return "---\n" + strings.Repeat("a: b\n", n/5) },
		"blank lines": func(n int) string { return strings.Repeat("\n", n) },
	} {
		t.Run(name, func(t *testing.T) {
			work := func(text string, count func(string) int) int {
				bytes := 0
				_, err := Split(text, Options{Size: 64, Overlap: 16, Markdown: true, Count: func(s string) int {
					bytes += len(s) + 1
					return count(s)
				}})
				require.NoError(t, err)
				return bytes
			}
			for kind, count := range counts {
				once, twice := work(text(20_000), count), work(text(40_000), count)
				require.LessOrEqual(t, twice, once*21/10+1000, kind)
				require.LessOrEqual(t, twice, 400*40_000, kind)
			}
			// The reading of lines and sentences counts nothing. Were it quadratic, this
			// would not end before the time limit of any test.
			long := text(1 << 22)
			lines, last := scan(long), 0
			for end := range sentences(long) {
				last = end
			}
			require.Equal(t, len(long), last)
			require.Equal(t, len(long), lines[len(lines)-1].end)
		})
	}
}

func TestEstimateTokens(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, " \n": 0, "word": 1, "words and words": 3, "internationalization": 4, "f(x) = 1": 6, "日本語": 3, "привет": 2, "été": 1, "\xff\xff": 2,
	} {
		require.Equal(t, want, EstimateTokens(text), text)
	}
	for _, r := range []rune{'a', 'я', '語', '!', ' ', '́'} {
		if unicode.IsSpace(r) {
			continue
		}
		require.Positive(t, EstimateTokens(string(r)), "%q", r)
	}
}
