package pgvector

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/words"
)

func TestLexemes(t *testing.T) {
	for text, want := range map[string]string{
		"":                    "",
		"?!":                  "",
		"b a B":               "'a':2 'b':1,3",
		"ab a abc 10 é":       "'10':4 'a':2 'ab':1 'abc':3 'é':5",
		"it's error-404 '\\'": "'404':4 'error':3 'it':1 's':2",
		"向量数据":                "'向量':1 '数据':3 '量数':2",
	} {
		require.Equal(t, want, string(appendLexemes(nil, lexemesOf(words.Plain, text))), text)
	}
	require.Equal(t, "'file':2 'open':1", string(appendLexemes(nil, lexemesOf(words.English, "The opening of files"))))
	require.Equal(t, "\x00\x00\x00\x12\x00\x00\x00\x02a\x00\x00\x02\x00\x01\x00\x03b\x00\x00\x01\x00\x02", string(appendBinaryLexemes(nil, lexemesOf(words.Plain, "a b a"))))
	require.Equal(t, []string{"'don'", "'t'"}, anyWord(words.Plain, "don't DON'T"))
}

// The limits of the type are kept by any text.
func TestLexemesOfLongTexts(t *testing.T) {
	list := lexemesOf(words.Plain, strings.Repeat("a ", 1000)+"b")
	require.Len(t, list[0].at, maxPositions)
	require.Equal(t, []uint16{1001}, list[1].at)

	list = lexemesOf(words.Plain, strings.Repeat("a ", 20_000)+"b b b c")
	require.Equal(t, []uint16{maxPosition}, list[1].at)
	require.Equal(t, []uint16{maxPosition}, list[2].at)

	var b strings.Builder
	for i := range 300_000 {
		fmt.Fprintf(&b, "w%d ", i)
	}
	list = lexemesOf(words.Plain, b.String())
	require.Equal(t, "w0", list[0].word)
	stored := 0
	for _, l := range list {
		stored += len(l.word) + 1 + 2 + 2*len(l.at) // aligned to two bytes
	}
	require.Less(t, stored, 1<<20)
	require.Greater(t, stored, 1<<19)
	buf := appendBinaryLexemes([]byte("x"), list)
	require.EqualValues(t, len(buf)-5, binary.BigEndian.Uint32(buf[1:]))
}
