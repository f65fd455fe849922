package local

import (
	"database/sql/driver"
	"strconv"
	"strings"

	"github.com/vecwire/vecwire/internal/columns"
)

// appendNumbers reads row numbers as group_concat joins them: a text, or NULL for none.
func appendNumbers(dst []int32, joined driver.Value) []int32 {
	text, _ := joined.(string)
	row := int32(0)
	for i := range len(text) {
		b := text[i]
		if b != ',' {
			row = row*10 + int32(b-'0')
		}
		if b == ',' || i == len(text)-1 {
			dst = append(dst, row)
			row = 0
		}
	}
	return dst
}

// joinNumbers writes row numbers as a JSON array.
func joinNumbers(rows columns.Set) string {
	var b strings.Builder
	for row := range rows.All() {
		if b.Len() == 0 {
			b.WriteByte('[')
		} else {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(int(row)))
	}
	if b.Len() == 0 {
		return "[]"
	}
	b.WriteByte(']')
	return b.String()
}
