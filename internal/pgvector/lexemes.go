package pgvector

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/words"
)

// The limits of the type tsvector (PostgreSQL, "Text Search Limitations"): the
// number of a word in its text, how many such numbers a lexeme keeps, and the
// bytes of all, of which a few are left for how the server aligns them.
const (
	maxPosition  = 1<<14 - 1
	maxPositions = 255
	maxTsvector  = 1<<20 - 1<<12
)

// lexeme is a word of a text, and where it stands, counted in words from 1.
type lexeme struct {
	word string
	at   []uint16
}

// lexemesOf returns the different words of a text in the order in which the type
// tsvector keeps them, which is by bytes. Of a text that has more than the type
// holds they are the first.
//
// The server takes no text apart: it would see hosts and signed numbers where
// this project has words, and what it takes for a letter depends on the
// database's locale.
func lexemesOf(l *words.Language, text string) []lexeme {
	places := map[string]int{} // in list
	var list []lexeme
	size, position := 0, 0
	l.Each(text, func(word []byte) bool {
		position = min(position+1, maxPosition)
		i, known := places[string(word)]
		if !known {
			size += len(word) + 4 // and how many positions there are, aligned
		}
		if size += 2; size > maxTsvector {
			return false
		}
		if !known {
			i = len(list)
			s := string(word)
			places[s] = i
			list = append(list, lexeme{word: s})
		}
		l := &list[i]
		if len(l.at) < maxPositions && (len(l.at) == 0 || l.at[len(l.at)-1] < uint16(position)) {
			l.at = append(l.at, uint16(position))
		}
		return true
	})
	slices.SortFunc(list, func(a, b lexeme) int { return strings.Compare(a.word, b.word) })
	return list
}

// appendLexemes appends lexemes as the type tsvector reads them. No word has a
// quote or a backslash.
func appendLexemes(b []byte, list []lexeme) []byte {
	for i, l := range list {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(append(append(b, '\''), l.word...), '\'')
		for j, at := range l.at {
			b = append(b, ":,"[min(j, 1)])
			b = strconv.AppendUint(b, uint64(at), 10)
		}
	}
	return b
}

// appendBinaryLexemes appends lexemes in the binary form of the type tsvector
// (PostgreSQL, src/backend/utils/adt/tsvector.c, tsvectorsend), with its length.
func appendBinaryLexemes(buf []byte, list []lexeme) []byte {
	start := len(buf)
	buf = binary.BigEndian.AppendUint32(append(buf, 0, 0, 0, 0), uint32(len(list)))
	for _, l := range list {
		buf = append(append(buf, l.word...), 0)
		buf = binary.BigEndian.AppendUint16(buf, uint16(len(l.at)))
		for _, at := range l.at {
			buf = binary.BigEndian.AppendUint16(buf, at) // of weight D, which is 0
		}
	}
	binary.BigEndian.PutUint32(buf[start:], uint32(len(buf)-start-4))
	return buf
}

// lexemesArg is an array of the lexemes of the records' texts.
func lexemesArg(l *words.Language, records []engine.Record) values {
	out := make(values, len(records))
	var b []byte
	for i := range records {
		if records[i].Text != "" {
			b = appendLexemes(b[:0], lexemesOf(l, records[i].Text))
			out[i] = string(b)
		}
	}
	return out
}

// anyWord returns the first words of a question, each in quotes, as the type
// tsquery reads them.
func anyWord(l *words.Language, question string) []string {
	list := l.Distinct(question, engine.MaxWords)
	for i, word := range list {
		list[i] = "'" + word + "'"
	}
	return list
}
