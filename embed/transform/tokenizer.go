package transform

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// tokenizer is BERT's, as tokenizer.json of the Hugging Face tokenizers library
// describes it: a normalizer, a split into words and punctuation, and WordPiece,
// which divides each word into the longest pieces that the vocabulary has (Wu et
// al. 2016, section 4.1).
type tokenizer struct {
	clean, chinese, accents, lower bool // what the normalizer does

	first, next map[string]int32 // the pieces that begin a word, and those that continue one
	longest     int              // bytes of the longest piece
	maxRunes    int              // of a word; a longer one is unknown
	unknown     int32

	special map[byte][]specialToken // by their first byte, the longest first
	before  []int32                 // tokens before each text
	after   []int32                 // and behind it
	pair    []pairPart              // what two texts together become, if the file says so
}

// pairPart is a part of a pair of texts: one of them, or tokens beside them.
type pairPart struct {
	text   int // 1 for the first, 2 for the second, 0 for neither
	tokens []int32
	second bool // its tokens have the second type
}

// specialToken is one that is found in a text as it is written, before all else.
type specialToken struct {
	text string
	id   int32
}

// tokenizerFile is the part of tokenizer.json that is used. What it says of
// truncation and padding is not: the sentence-transformers library overrides both.
type tokenizerFile struct {
	Added []struct {
		ID         int32
		Content    string
		SingleWord bool `json:"single_word"`
		Normalized bool
	} `json:"added_tokens"`
	Normalizer struct {
		Type    string
		Clean   bool  `json:"clean_text"`
		Chinese bool  `json:"handle_chinese_chars"`
		Accents *bool `json:"strip_accents"` // the default is what Lower says
		Lower   bool  `json:"lowercase"`
	}
	PreTokenizer struct {
		Type string
	} `json:"pre_tokenizer"`
	PostProcessor struct {
		Type   string
		Single []struct {
			Special *struct {
				ID string
			} `json:"SpecialToken"`
		}
		Pair []struct {
			Special *struct {
				ID   string
				Type int `json:"type_id"`
			} `json:"SpecialToken"`
			Sequence *struct {
				ID   string
				Type int `json:"type_id"`
			}
		}
		Special map[string]struct {
			IDs []int32
		} `json:"special_tokens"`
	} `json:"post_processor"`
	Model struct {
		Type     string
		Unknown  string `json:"unk_token"`
		Prefix   string `json:"continuing_subword_prefix"`
		MaxRunes int    `json:"max_input_chars_per_word"`
		Vocab    map[string]int32
	}
}

// tokenizer reads tokenizer.json, whose IDs have to be less than size.
func (m *modelDir) tokenizer(size int) (*tokenizer, error) {
	const file = "tokenizer.json"
	var raw json.RawMessage
	if _, err := m.read(file, false, &raw); err != nil {
		return nil, err
	}
	t, err := newTokenizer(raw, size)
	return t, m.in(file, err)
}

func newTokenizer(raw []byte, size int) (*tokenizer, error) {
	f, err := readTokenizer(raw)
	if err != nil {
		return nil, err
	}
	return f.tokenizer(maps.All(f.Model.Vocab), size)
}

func readTokenizer(raw []byte) (*tokenizerFile, error) {
	f := &tokenizerFile{}
	f.Model.MaxRunes = 100
	return f, json.Unmarshal(raw, f)
}

// tokenizer makes one with a vocabulary, in place of that of the file.
func (f *tokenizerFile) tokenizer(vocab iter.Seq2[string, int32], size int) (*tokenizer, error) {
	for _, part := range []struct{ field, want, got string }{
		{"model.type", "WordPiece", f.Model.Type},
		{"normalizer.type", "BertNormalizer", f.Normalizer.Type},
		{"pre_tokenizer.type", "BertPreTokenizer", f.PreTokenizer.Type},
		{"post_processor.type", "TemplateProcessing", f.PostProcessor.Type},
	} {
		if part.got != part.want {
			return nil, invalid(part.field, fmt.Sprintf("%q, the only one that this package computes", part.want), fmt.Sprintf("%q", part.got))
		}
	}
	t := &tokenizer{
		clean: f.Normalizer.Clean, chinese: f.Normalizer.Chinese, lower: f.Normalizer.Lower, accents: f.Normalizer.Lower,
		first: make(map[string]int32, min(size, 1<<16)), next: make(map[string]int32, min(size, 1<<16)/4), maxRunes: f.Model.MaxRunes, special: map[byte][]specialToken{},
	}
	if f.Normalizer.Accents != nil {
		t.accents = *f.Normalizer.Accents
	}
	inside := func(id int32) bool { return id >= 0 && int(id) < size }
	outside := func(field string, id int32) error {
		return invalid(field, fmt.Sprintf("an ID from 0 to %d, vocab_size less one", size-1), fmt.Sprint(id))
	}
	for piece, id := range vocab {
		switch {
		case piece == "":
			return nil, invalid("model.vocab", "pieces of at least a character", "an empty one")
		case !inside(id):
			return nil, outside(fmt.Sprintf("model.vocab[%q]", piece), id)
		}
		t.first[piece] = id
		if rest, continues := strings.CutPrefix(piece, f.Model.Prefix); continues {
			t.next[rest] = id
		}
		t.longest = max(t.longest, len(piece))
	}
	var known bool
	if t.unknown, known = t.first[f.Model.Unknown]; !known {
		return nil, invalid("model.unk_token", "a token of the vocabulary", fmt.Sprintf("%q", f.Model.Unknown))
	}
	for i, a := range f.Added {
		field := fmt.Sprintf("added_tokens[%d]", i)
		switch {
		case !inside(a.ID):
			return nil, outside(field, a.ID)
		case a.Content == "" || a.SingleWord || a.Normalized:
			return nil, invalid(field, "a text that is not normalized and may be part of a word", "another")
		}
		t.special[a.Content[0]] = append(t.special[a.Content[0]], specialToken{a.Content, a.ID})
	}
	for _, tokens := range t.special {
		slices.SortFunc(tokens, func(a, b specialToken) int { return len(b.text) - len(a.text) })
	}
	ends := &t.before
	for i, part := range f.PostProcessor.Single {
		if part.Special == nil { // the text
			ends = &t.after
			continue
		}
		ids := f.PostProcessor.Special[part.Special.ID].IDs
		if len(ids) == 0 || !inside(slices.Min(ids)) || !inside(slices.Max(ids)) {
			return nil, invalid(fmt.Sprintf("post_processor.single[%d]", i), "one of post_processor.special_tokens", fmt.Sprintf("%q", part.Special.ID))
		}
		*ends = append(*ends, ids...)
	}
	return t, t.pairs(f, inside)
}

// encode returns the IDs of a text's tokens, with those at both ends.
func (t *tokenizer) encode(text string) []int32 {
	return append(t.inner(slices.Clone(t.before), text), t.after...)
}

// inner appends the tokens of a text alone.
func (t *tokenizer) inner(ids []int32, text string) []int32 {
	begin := 0
	for i := 0; i < len(text); {
		s, found := t.specialAt(text[i:])
		if !found {
			i++
			continue
		}
		ids = append(t.words(ids, t.normalized(text[begin:i])), s.id)
		i += len(s.text)
		begin = i
	}
	return t.words(ids, t.normalized(text[begin:]))
}

// cut shortens what encode returned to n tokens and keeps those at both ends.
func (t *tokenizer) cut(ids []int32, n int) []int32 {
	return append(ids[:n-len(t.after)], t.after...)
}

func (t *tokenizer) specialAt(text string) (specialToken, bool) {
	for _, s := range t.special[text[0]] {
		if strings.HasPrefix(text, s.text) {
			return s, true
		}
	}
	return specialToken{}, false
}

// normalized is what the library's BertNormalizer makes of a text.
func (t *tokenizer) normalized(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		switch {
		case t.clean && (r == 0 || r == utf8.RuneError || control(r)):
		case t.clean && unicode.IsSpace(r):
			b.WriteByte(' ')
		case t.chinese && chinese(r):
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
		default:
			b.WriteRune(r)
		}
	}
	text = b.String()
	if t.accents {
		text = strings.Map(func(r rune) rune {
			if mark(r) {
				return -1
			}
			return r
		}, norm.NFD.String(text))
	}
	if t.lower {
		text = strings.ToLower(strings.ReplaceAll(text, "İ", "i\u0307")) // as Unicode's SpecialCasing.txt has it
	}
	return text
}

// words appends the tokens of a normalized text.
func (t *tokenizer) words(ids []int32, text string) []int32 {
	begin := 0
	for i, r := range text {
		space := unicode.IsSpace(r)
		if !space && !punctuation(r) {
			continue
		}
		ids = t.pieces(ids, text[begin:i])
		begin = i + utf8.RuneLen(r)
		if !space {
			ids = t.pieces(ids, text[i:begin])
		}
	}
	return t.pieces(ids, text[begin:])
}

// pieces appends the tokens of a word: the one for unknown words if it cannot be
// divided into pieces of the vocabulary.
func (t *tokenizer) pieces(ids []int32, word string) []int32 {
	if word == "" {
		return ids
	}
	if utf8.RuneCountInString(word) > t.maxRunes {
		return append(ids, t.unknown)
	}
	known := len(ids)
	for from := t.first; word != ""; from = t.next {
		end := min(len(word), t.longest)
		id, found := from[word[:end]]
		for !found && end > 1 {
			end--
			id, found = from[word[:end]] // where end is inside a rune, nothing is found
		}
		if !found {
			return append(ids[:known], t.unknown)
		}
		ids = append(ids, id)
		word = word[end:]
	}
	return ids
}

// control is what the library's clean_text removes: the categories Cc, but for
// three that are spaces, Cf and Co.
func control(r rune) bool {
	return r != '\t' && r != '\n' && r != '\r' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co) && !unicode.Is(youngControls, r)
}

// punctuation is what the library's BertPreTokenizer makes a word of its own: all
// ASCII characters that are neither letters, digits, spaces nor control characters,
// and the category P.
func punctuation(r rune) bool {
	if r < utf8.RuneSelf {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		digit := '0' <= r && r <= '9'
		return r > ' ' && r < 0x7f && !letter && !digit
	}
	return unicode.Is(unicode.P, r) && !unicode.Is(youngPunctuation, r) || oldPunctuation(r)
}

// mark is what the library's strip_accents removes: the category Mn.
func mark(r rune) bool { return unicode.Is(unicode.Mn, r) && !unicode.Is(youngMarks, r) || oldMark(r) }

// chinese is what the library's handle_chinese_chars puts spaces around: the blocks
// that its source lists, of CJK Unified Ideographs, their extensions A to E and
// their compatibility forms.
func chinese(r rune) bool {
	return r >= 0x3400 && (r <= 0x4DBF || 0x4E00 <= r && r <= 0x9FFF || 0xF900 <= r && r <= 0xFAFF ||
		0x20000 <= r && r <= 0x2A6DF || 0x2A700 <= r && r <= 0x2B73F || 0x2B740 <= r && r <= 0x2B81F ||
		0x2B920 <= r && r <= 0x2CEAF || 0x2F800 <= r && r <= 0x2FA1F)
}
