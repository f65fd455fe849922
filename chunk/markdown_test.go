package chunk

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// TestSplitHeadings splits with room for everything, so that only headings cut.
func TestSplitHeadings(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		want map[string]string // from the last line of a chunk to its headings
	}{
		{"nested", "top\n# A\na\n## B\nb\n### C\nc\n## D\nd\n# E\ne", map[string]string{
			"top": "", "a": "A", "b": "A/B", "c": "A/B/C", "d": "A/D", "e": "E"}},
		{"skipped levels", "# A\n### B\nb\n## C\nc\n", map[string]string{"b": "A/B", "c": "A/C"}},
		{"headings with nothing below", "# A\n## B\n## C\nc\n# D\n", map[string]string{"## B": "A/B", "c": "A/C", "# D": "D"}},
		{"closing marks", "# A #\na\n## B ## \nb\n### C#\nc\n#### \nd\n", map[string]string{"a": "A", "b": "A/B", "c": "A/B/C#", "d": "A/B/C#/"}},
		{"no headings", "#a\n\n####### b\n\n    # c\n\n\\# d\n", map[string]string{"\\# d": ""}},
		{"underlined", "A\nand more\n===\na\n\nB\n---\nb\n", map[string]string{"a": "A and more", "b": "A and more/B"}},
		{"breaks", "a\n\n---\n\n- b\n---\n> c\n---\n***\n", map[string]string{"***": ""}},
		{"fences", "# A\n```sh\n# no\n~~~\n````\nb\n\n~~~\n# no\n\n# no\n~~~ \nc\n# D\n```", map[string]string{"c": "A", "```": "D"}},
		{"backticks in a line", "``` a ``` b\n# A\na\n", map[string]string{"``` a ``` b": "", "a": "A"}},
		{"a fence in a list", "1. a\n   ```\n   # no\n   ```\n# B\nb\n", map[string]string{"   ```": "", "b": "B"}},
		{"a fence on an item's line", "- ```\n  # no\n  ```\n# B\nb\n", map[string]string{"  ```": "", "b": "B"}},
		{"a list ends an open fence", "- a\n  ```\n# B\nb\n", map[string]string{"  ```": "", "b": "B"}},
		{"an open fence", "```\n# no\n\n# no", map[string]string{"# no": ""}},
		{"nested lists", "- a\n  - b\n    # no\n  # no\n# C\nc\n", map[string]string{"  # no": "", "c": "C"}},
		{"front matter", "---\ntitle: x\n# no\n---\n# A\na\n", map[string]string{"---": "", "a": "A"}},
		{"HTML", "<p>\n# no\n</p>\n---\n\n# A\n<https://a.b>\n---\nc\n", map[string]string{"---": "", "c": "A/<https://a.b>"}},
		{"HTML in a line", "<a name=\"a\"></a>\n# A\na\n<!-- # no\n\n# no -->\n# B\nb\n", map[string]string{`<a name="a"></a>`: "", "# no -->": "A", "b": "B"}},
		{"a byte order mark", "\ufeff# A\na\n", map[string]string{"a": "A"}},
		{"a byte order mark and front matter", "\ufeff---\ntitle: x\n---\n# A\na\n", map[string]string{"---": "", "a": "A"}},
		{"a lone line of dashes", "---\n# A\na\n", map[string]string{"---": "", "a": "A"}},
		{"rules across the page", "---\n\n# A\n\na\n\n---\n\n# B\n\nb\n", map[string]string{"---": "A", "b": "B"}},
		{"headings between rules", "---\n# A\na\n\n---\n# B\nb\n", map[string]string{"---": "A", "b": "B"}},
		{"front matter with lists and blocks", "---\ntags:\n- a\n- b\ntext: |\n  # no\n\n  more\n# no\n---\n# A\na\n", map[string]string{"---": "", "a": "A"}},
		{"front matter that ends in dots", "---\na: b\n...\n# A\na\n", map[string]string{"...": "", "a": "A"}},
		{"front matter that does not end", "---\na: b\n# A\na\n", map[string]string{"a: b": "", "a": "A"}},
		{"pre", "<pre>\n\n# no\n\n</pre>\n# A\na\n", map[string]string{"</pre>": "", "a": "A"}},
		{"script", "a\n<SCRIPT type=x>\n\n# no\n</script >\n# no\n</Script> x\n# A\na\n", map[string]string{"</Script> x": "", "a": "A"}},
		{"style on one line", "<style>p{}</style>\n# A\na\n", map[string]string{"<style>p{}</style>": "", "a": "A"}},
		{"textarea", "<textarea>\n\n# no\n\n</textarea>\n# A\na\n", map[string]string{"</textarea>": "", "a": "A"}},
		{"a closing pre begins nothing raw", "</pre>\n\n# A\na\n", map[string]string{"</pre>": "", "a": "A"}},
		{"a processing instruction", "<?php\n\n# no\n?>\n# A\na\n", map[string]string{"?>": "", "a": "A"}},
		{"a declaration", "<!DOCTYPE\n\n# no\nhtml>\n# A\na\n", map[string]string{"html>": "", "a": "A"}},
		{"CDATA", "<![CDATA[\n\n# no\n>\n]]>\n# A\na\n", map[string]string{"]]>": "", "a": "A"}},
		{"a block's tag ends at a blank line", "a\n<div\n# no\n\n# A\na\n", map[string]string{"# no": "", "a": "A"}},
		{"a whole tag", "<b class='x' y>\n# no\n\n# A\na\n", map[string]string{"# no": "", "a": "A"}},
		{"a whole tag begins nothing in a paragraph", "x\n<b>\n# A\na\n", map[string]string{"<b>": "", "a": "A"}},
		{"no tag", "<b class=>\n# A\na\n", map[string]string{"<b class=>": "", "a": "A"}},
		{"pre is no prefix", "<prefix/>x\n# A\na\n", map[string]string{"<prefix/>x": "", "a": "A"}},
		{"a list ends HTML", "- a\n  <!-- b\n# A\na\n", map[string]string{"  <!-- b": "", "a": "A"}},
		{"an indented mark closes no fence", "```\n    ```\n# no\n```\n# A\na\n", map[string]string{"```": "", "a": "A"}},
		{"carriage returns", "# A\ra\r\rB\r===\rb\r```\r# no\r```\r# C\rc", map[string]string{"a": "A", "```": "B", "c": "C"}},
		{"line ends", "# A\r\na\r\n\r\nB\r\n===\r\nb\r\n", map[string]string{"a": "A", "b": "B"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chunks, err := Split(tt.text, Options{Size: 1 << 20, Markdown: true})
			require.NoError(t, err)
			got := map[string]string{}
			for _, c := range chunks {
				got[strings.TrimRight(c.Text[strings.LastIndexAny(c.Text, "\r\n")+1:], " ")] = strings.Join(c.Headings, "/")
			}
			require.Equal(t, tt.want, got, "%q", texts(chunks))
		})
	}
}

// TestSplitBlocks splits where less than all fits.
func TestSplitBlocks(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		size int
		want []string
	}{
		{"code that fits stays whole", "Some text. And more.\n\n```\na. B\n\nc. D\n```\nthe end", 22, []string{"Some text. And more.", "```\na. B\n\nc. D\n```", "the end"}},
		{"code is cut between lines", "```\nfirst. line\nsecond line\n```", 17, []string{"```\nfirst. line", "second line\n```"}},
		{"list items stay whole", "- one. One\n- two. Two\n  more\n- three", 22, []string{"- one. One", "- two. Two\n  more", "- three"}},
		{"tables are cut between rows", "|a. A|b|\n|-|-|\n|c. C|d|\n|e. E|f|", 18, []string{"|a. A|b|\n|-|-|", "|c. C|d|\n|e. E|f|"}},
		{"a long heading stays with its text", "# A heading so long\nOne. Two two two.", 26, []string{"# A heading so long\nOne.", "Two two two."}},
		{"a heading stays with its text", "# Head\nOne one. Two two.", 18, []string{"# Head\nOne one.", "Two two."}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			chunks, err := Split(tt.text, Options{Size: tt.size, Count: utf8.RuneCountInString, Markdown: true})
			require.NoError(t, err)
			require.Equal(t, tt.want, texts(chunks))
		})
	}
}

func TestHeadingsAreNotOverwritten(t *testing.T) {
	chunks, err := Split("# A\na\n## B\nb\n## C\nc\n", Options{Markdown: true})
	require.NoError(t, err)
	require.Len(t, chunks, 3)
	_ = append(chunks[0].Headings, "X")
	require.Equal(t, []string{"A", "B"}, chunks[1].Headings)
	require.Equal(t, []string{"A", "C"}, chunks[2].Headings)
}
