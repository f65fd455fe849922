package transform

import "fmt"

// pairs reads what two texts together become. A file without that has none.
func (t *tokenizer) pairs(f *tokenizerFile, inside func(int32) bool) error {
	var seen [3]int
	for i, part := range f.PostProcessor.Pair {
		field := fmt.Sprintf("post_processor.pair[%d]", i)
		p, kind := pairPart{}, 0
		switch {
		case part.Special != nil:
			p.tokens, kind = f.PostProcessor.Special[part.Special.ID].IDs, part.Special.Type
			if len(p.tokens) == 0 {
				return invalid(field, "one of post_processor.special_tokens", fmt.Sprintf("%q", part.Special.ID))
			}
		case part.Sequence != nil && (part.Sequence.ID == "A" || part.Sequence.ID == "B"):
			p.text, kind = 1+int(part.Sequence.ID[0]-'A'), part.Sequence.Type
		default:
			return invalid(field, "a SpecialToken, or the Sequence A or B", "another")
		}
		for _, id := range p.tokens {
			if !inside(id) {
				return invalid(field, "tokens of the vocabulary", fmt.Sprint(id))
			}
		}
		if kind != 0 && kind != 1 {
			return invalid(field, "the type_id 0 or 1", fmt.Sprint(kind))
		}
		p.second = kind == 1
		seen[p.text]++
		t.pair = append(t.pair, p)
	}
	if len(t.pair) > 0 && (seen[1] != 1 || seen[2] != 1) {
		return invalid("post_processor.pair", "each of the texts A and B once", fmt.Sprintf("%d and %d times", seen[1], seen[2]))
	}
	return nil
}

// encodePair returns the tokens of two texts together, of which the first is given in
// tokens, and how many there were before they were cut to most. The longer text loses
// its end, as with the library's truncation "longest_first".
func (t *tokenizer) encodePair(first []int32, text string, most int) (tokens []int32, whole int) {
	second := t.inner(nil, text)
	for _, p := range t.pair {
		most -= len(p.tokens)
		whole += len(p.tokens)
	}
	whole += len(first) + len(second)
	a, b := longestFirst(len(first), len(second), most)
	texts := [3][]int32{1: first[:a], 2: second[:b]}
	for _, p := range t.pair {
		for _, part := range [][]int32{p.tokens, texts[p.text]} {
			for _, id := range part {
				if p.second {
					id = ofSecond(id)
				}
				tokens = append(tokens, id)
			}
		}
	}
	return tokens, whole
}

// longestFirst returns how many tokens of two texts fit into most.
func longestFirst(a, b, most int) (int, int) {
	if a+b <= most {
		return a, b
	}
	if a > b {
		b, a = longestFirst(b, a, most)
		return a, b
	}
	if a > most { // the library's own rule for a pair of which neither fits
		b = a
	} else {
		b = max(a, most-a)
	}
	if a+b > most {
		a = most / 2
		b = a + most%2
	}
	return a, b
}
