package engine

// Terms is a question by words that says what a text must have and must not have. A
// phrase is words that stand one behind the other, of one word or more, taken apart
// as the collection's FullText says; there are at most MaxWords different words.
type Terms struct {
	All  [][][]string // of each of these lists of phrases a text has one at least
	None [][]string   // a text has none of these phrases
}

// Words returns the different words that a text may have.
func (t *Terms) Words() (list []string) {
	seen := map[string]bool{}
	for _, any := range t.All {
		for _, phrase := range any {
			for _, word := range phrase {
				if !seen[word] {
					seen[word] = true
					list = append(list, word)
				}
			}
		}
	}
	return list
}
