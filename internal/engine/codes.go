package engine

import "fmt"

// Codes says how many bits an element has in the codes that searches compare first.
type Codes uint8

// The kinds of codes.
const (
	SevenBits Codes = iota // a byte an element
	FourBits               // half a byte
)

// String returns "7-bit" or "4-bit".
func (c Codes) String() string {
	switch c {
	case SevenBits:
		return "7-bit"
	case FourBits:
		return "4-bit"
	}
	return fmt.Sprintf("Codes(%d)", uint8(c))
}
