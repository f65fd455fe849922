package wire

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"strings"
)

// And joins two conditions, of which "" is true of every record.
func And(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return "(" + a + ") AND (" + b + ")"
}

// Where returns a condition as the WHERE clause of a statement.
func Where(condition string) string {
	if condition == "" {
		return ""
	}
	return " WHERE " + condition
}

// IsFieldName reports whether a column's name can be a field's.
func IsFieldName(name string) bool {
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r != '_' && (r < '0' || r > '9')) {
			return false
		}
	}
	folded := strings.ToLower(name)
	return name != "" && len(name) <= 48 && folded != "id" && folded != "text" && folded != "vector"
}

// Fingerprint returns 16 hexadecimal digits that tell texts apart.
func Fingerprint(text string) string {
	h := fnv.New64a()
	h.Write([]byte(text))
	return fmt.Sprintf("%016x", h.Sum64())
}

// NewToken returns 32 random hexadecimal digits.
func NewToken() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
