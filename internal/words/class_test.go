package words

import (
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

func TestTableOfClasses(t *testing.T) {
	for r := rune(0); r < 1<<16; r++ {
		require.Equal(t, classify(r), basic()[r], "%U", r)
	}
	require.Equal(t, spaceless, classOf('𠮷'))
	require.Equal(t, ignorable, classOf(0xe0100))
}

// Every character alone, and on both sides of a letter, gives words that stay
// what they are.
func TestEveryCharacter(t *testing.T) {
	var s splitter
	split := func(text string) (words []string) {
		s.split(text, func(w []byte) bool { words = append(words, string(w)); return true })
		return words
	}
	for r := rune(1); r <= unicode.MaxRune; r++ {
		if r >= 0xd800 && r < 0xe000 || r > 0x1ffff && r < 0xe0000 && r%16 != 0 || r >= 0xe1000 {
			continue
		}
		text := string(r) + " é" + string(r) + "é"
		list := split(text)
		require.NotEmpty(t, list, "%U", r)
		for _, w := range list {
			require.Equal(t, []string{w}, split(w), "%U", r)
		}
		require.Equal(t, list, split(norm.NFD.String(text)), "%U", r)
		require.Equal(t, list, split(norm.NFC.String(text)), "%U", r)
	}
}

// The table folds as fold does.
func FuzzSimple(f *testing.F) {
	for _, text := range []string{"Größe МОСКВА", "向量，数据", "ที่นี่", "ΣΊΣΥΦΟΣ", "é\u0301\u0323", "Й И\u0306", "＝\u0338é", "ꭰᎠ", "ſ İ"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s splitter
		var got, want []string
		collect := func(list *[]string) func([]byte) bool {
			return func(w []byte) bool { *list = append(*list, string(w)); return true }
		}
		s.split(text, collect(&got))
		s.fold(text)
		s.runs(s.folded, collect(&want))
		require.Equal(t, want, got)
	})
}

func BenchmarkSplit(b *testing.B) {
	for name, text := range map[string]string{
		"English":  "The quick brown fox jumps over the lazy dog, 42 times in node.js at https://example.com/a?b=c. ",
		"German":   "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, und äpfel fallen. ",
		"Russian":  "Съешь же ещё этих мягких французских булок, да выпей чаю в Москве. ",
		"Chinese":  "向量数据库可以在一台机器上搜索一百万个文档，不需要服务器。",
		"Thai":     "ภาษาไทยเป็นภาษาที่มีระดับเสียงของคำแน่นอน ",
		"Japanese": "東京タワーへ行くにはどの電車に乗ればいいですか。",
	} {
		for len(text) < 4000 {
			text += text
		}
		simple()
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			out := Plain.Append(nil, text)
			for b.Loop() {
				out = Plain.Append(out[:0], text)
			}
		})
	}
}
