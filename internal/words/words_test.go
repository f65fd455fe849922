package words_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"

	"github.com/vecwire/vecwire/internal/words"
)

func split(l *words.Language, text string) string { return string(l.Append(nil, text)) }

func TestWords(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"no words", " \t\n?! -- (..) \" ' _ ¡ 。、…\u00a0", ""},
		{"capitals", "Hello, WORLD", "hello world"},
		{"numbers", "error-404 1.5e-7 -3 0x1F", "error 404 1 5e 7 3 0x1f"},
		{"identifiers", "CVE-2026-2332 node.js snake_case camelCase AC/DC C++", "cve 2026 2332 node js snake case camelcase ac dc c"},
		{"addresses", "https://user@www.example.com:8080/a/b.html?q=1&r=%20#top mail: jo.doe+x@example.org", "https user www example com 8080 a b html q 1 r 20 top mail jo doe x example org"},
		{"paths", `/etc/passwd C:\Temp\a.txt ../x v1.2.3-rc.1+build5`, "etc passwd c temp a txt x v1 2 3 rc 1 build5"},
		{"apostrophes", "don't it’s O'Reilly l'été", "don t it s o reilly l été"},
		{"marks", "naïve Größe Ångström", "naïve grösse ångström"},
		{"decomposed", norm.NFD.String("naïve Größe Ångström"), "naïve grösse ångström"},
		{"full-width and half-width", "ＡＢＣ１２３ ｶﾞﾝ", "abc123 ガン"},
		{"ligatures", "ﬁle oﬃce ﬆ", "file office st"},
		{"compatibility", "㎏ Ⅷ x² ½ ① ™", "kg viii x2 1 2 1 tm"},
		{"folding", "STRASSE Straße İstanbul ſ K Å", "strasse strasse i\u0307stanbul s k å"},
		{"Greek", "ΣΊΣΥΦΟΣ Σίσυφος ᾳ ᾼ", "σίσυφοσ σίσυφοσ αι αι"},
		{"Cyrillic", "Москва МОСКВА Ёж", "москва москва ёж"},
		{"Georgian, Armenian, Cherokee", "ᲓᲐ და ԵՒ և Ꭰꭰ", "და და եւ եւ ᎠᎠ"},
		{"Arabic with marks", "السَّلامُ عليكم", "السَّلامُ عليكم"},
		{"Persian with a non-joiner", "می\u200cخواهم", "میخواهم"},
		{"Hebrew with marks", "שָׁלוֹם עולם", "שָׁלוֹם עולם"},
		{"Devanagari", "देवनागरी क्ष क्\u200dष", "देवनागरी क्ष क्ष"},
		{"Tamil", "தமிழ் மொழி", "தமிழ் மொழி"},
		{"Hangul", "한국어 문장", "한국어 문장"},
		{"Hangul in parts", norm.NFD.String("한국어"), "한국어"},
		{"Han", "向量数据库", "向量 量数 数据 据库"},
		{"a single character", "我。", "我"},
		{"Han beside Latin", "型号XG-2000的", "型号 xg 2000 的"},
		{"Japanese", "東京タワーへ行く。ラーメン", "東京 京タ タワ ワー ーへ へ行 行く ラー ーメ メン"},
		{"Japanese signs of repetition", "人々 〆切 いすゞ", "人々 〆切 いす すゞ"},
		{"voiced marks", "か\u3099き ｶﾞ", "がき ガ"},
		{"Han beyond the basic plane", "𠮷野家", "𠮷野 野家"},
		{"Thai", "ภาษาไทย", "ภา าษ ษา าไ ไท ทย"},
		{"Thai with marks", "ที่นี่ดี", "ที่นี่ นี่ดี"},
		{"Lao", "ພາສາລາວ", "ພາ າສ ສາ າລ ລາ າວ"},
		{"Khmer", "ភាសាខ្មែរ", "ភាសា សាខ្ ខ្មែ មែរ"},
		{"Myanmar", "မြန်မာ", "မြန် န်မာ"},
		{"digits between", "第3章 2026年11月", "第 3 章 2026 年 11 月"},
		{"emoji", "😀👩\u200d👩\u200d👧❤️ ok👍🏽", "ok"},
		{"soft hyphens and marks of direction", "soft\u00adhy\u2060phen \u200fabc\u200e \ufeffx", "softhyphen abc x"},
		{"marks on nothing", "\u0301 \u0301a =\u0338a ´a", "a a a"},
		{"invalid", "a\xffb \xe2\x82 c\xc3", "a b c"},
		{"NUL", "a\x00b", "a b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, split(words.Plain, tt.text))
		})
	}
}

func TestQuestionsFindTexts(t *testing.T) {
	for question, text := range map[string]string{
		"XG-2000":                    "型号XG-2000的",
		"404":                        "error-404",
		"2332":                       "CVE-2026-2332",
		"node":                       "node.js",
		"数据":                         "向量数据库",
		"タワー":                        "東京タワーへ行く",
		"ไทย":                        "ภาษาไทย",
		"МОСКВА":                     "в москва-сити",
		norm.NFD.String("ÄPFEL"):     "Rote äpfel",
		"σίσυφος":                    "Ο ΣΊΣΥΦΟΣ",
		"file":                       "oﬃce ﬁle",
		"abc":                        "ＡＢＣ",
		norm.NFD.String("한국어") + "?": "한국어",
	} {
		inText := map[string]bool{}
		for _, w := range words.Plain.Distinct(text, 1000) {
			inText[w] = true
		}
		asked := words.Plain.Distinct(question, 1000)
		require.NotEmpty(t, asked)
		for _, w := range asked {
			require.True(t, inText[w], "%q of the question %q is not in the text %q", w, question, text)
		}
	}
}

func TestEnglish(t *testing.T) {
	for text, want := range map[string]string{
		"The opening of FILES":          "open file",
		"it's walked, they don't run":   "walk run",
		"how to and that was":           "",
		"generalizations relational":    "general relat",
		"1990s 2000 x86":                "1990s 2000 x86",
		"вещами 向量数据":                   "вещами 向量 量数 数据",
		"naïvely cafés élanges":         "naïv café élang",
		strings.Repeat("running ", 3):   "run run run",
		"γάτες des Straßen":             "γάτες des strassen",
		"\u00adrun\u00adning":           "run",
		"a" + strings.Repeat("z", 2000): "a" + strings.Repeat("z", words.MaxBytes-1),
	} {
		require.Equal(t, strings.ReplaceAll(want, "ς", "σ"), split(words.English, text))
	}
}

func TestLongWordsAreCutBetweenRunes(t *testing.T) {
	for _, text := range []string{strings.Repeat("x", 5000), strings.Repeat("é", 5000), "a" + strings.Repeat("é", 5000)} {
		got := split(words.Plain, text)
		require.LessOrEqual(t, len(got), words.MaxBytes)
		require.Greater(t, len(got), words.MaxBytes-4)
		require.Equal(t, got, split(words.Plain, got))
	}
	require.Equal(t, split(words.Plain, "x"+strings.Repeat("y", 5000)), split(words.Plain, "x"+strings.Repeat("y", 6000)))
}

func TestMarksBeyondReason(t *testing.T) {
	for _, base := range []string{"a", "的", "\u0301"} {
		text := base + strings.Repeat("\u0323\u0301", 5000) + "b"
		got := split(words.Plain, text)
		require.Less(t, len(got), 50)
		require.Equal(t, got, split(words.Plain, got))
	}
}

func TestDistinct(t *testing.T) {
	require.Equal(t, []string{"a", "b"}, words.Plain.Distinct("a A b a c", 2))
	require.Equal(t, []string{"a", "b", "c"}, words.Plain.Distinct("a A b a c", 9))
	require.Equal(t, []string{"run"}, words.English.Distinct("the run of running runs", 9))
	require.Empty(t, words.Plain.Distinct("?!", 9))
}

func TestEachStops(t *testing.T) {
	for _, text := range []string{"a b c", "é è ê", "向量数据库", "é.我.x"} {
		n := 0
		words.Plain.Each(text, func([]byte) bool { n++; return n < 2 })
		require.Equal(t, 2, n, text)
	}
}

// A text means the same however it is composed, whatever its case, and whatever
// was split before it with the same memory.
func FuzzWords(f *testing.F) {
	for _, text := range []string{
		"Hello, WORLD-404", "型号XG-2000的", "東京タワー", "ที่นี่", "ΣΊΣΥΦΟΣ ᾼ", "naïve e\u0301", "\u0301a=\u0338b", "क्\u200dष", "ﬁ½①ｶﾞ", "a\xffb", "👩\u200d👧❤️", "İ\u0345\u0300", "ᄀ\u1160ᆨ",
		strings.Repeat("\u0301", 70) + "a" + strings.Repeat("\u0301\u0323", 40),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		joined := split(words.Plain, text)
		for i := range len(joined) {
			b := joined[i]
			require.True(t, b == ' ' || b >= 0x80 || b >= 'a' && b <= 'z' || b >= '0' && b <= '9', "%q is in a word of %q", b, text)
		}
		require.Equal(t, strings.ToValidUTF8(joined, "?"), joined)
		list := strings.Fields(joined)
		require.Equal(t, strings.Join(list, " "), joined)
		for _, word := range list {
			require.LessOrEqual(t, len(word), words.MaxBytes)
			require.Equal(t, word, split(words.Plain, word), "a word of %q", text)
		}
		require.Equal(t, joined, split(words.Plain, strings.ToValidUTF8(text, " ")))
		split(words.English, text)
	})
}

// FuzzForms checks that the forms of a text have the same words.
func FuzzForms(f *testing.F) {
	for _, text := range []string{"naïve Größe ΣΊΣ", "한국어 ガ", "=\u0338a ᾼ", "क्ष ที่", "ﬁ K Å"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if marks := strings.Count(norm.NFD.String(text), "\u034f"); marks > 0 {
			t.Skip("more marks on a letter than any text has")
		}
		want := split(words.Plain, text)
		for _, form := range []norm.Form{norm.NFC, norm.NFD, norm.NFKC, norm.NFKD} {
			require.Equal(t, want, split(words.Plain, form.String(text)), "%q", text)
		}
	})
}
