package main

import "fmt"

// An instruction is one that Go's assembler does not know: its bits, but for
// those that number the registers, and the arrangements of the destination's and
// of the operands' elements, in ARM's notation.
//
// Source: Arm Architecture Reference Manual for A-profile, section C7.2.
type instruction struct {
	name   string
	bits   uint32
	as     string
	fromAs string
}

var (
	uabd   = instruction{"UABD", 0x6e207400, "16B", "16B"}  // |n-m|
	umull  = instruction{"UMULL", 0x2e20c000, "8H", "8B"}   // n*m of the lower halves
	umlal  = instruction{"UMLAL", 0x2e208000, "8H", "8B"}   // the same, added to d
	umlal2 = instruction{"UMLAL2", 0x6e208000, "8H", "16B"} // of the upper halves
	smull  = instruction{"SMULL", 0x0e20c000, "8H", "8B"}
	smlal2 = instruction{"SMLAL2", 0x4e208000, "8H", "16B"}
	uadalp = instruction{"UADALP", 0x6e606800, "4S", "8H"} // sums of pairs, added to d
	sadalp = instruction{"SADALP", 0x4e606800, "4S", "8H"}
	udot   = instruction{"UDOT", 0x6e809400, "4S", "16B"} // sums of four products, added to d
	sdot   = instruction{"SDOT", 0x4e809400, "4S", "16B"}
	bic    = instruction{"BIC", 0x4e601c00, "16B", "16B"} // n and not m
)

// Instructions on floats, by their precision.
var (
	fadd  = floats("FADD", 0x4e20d400)
	fsub  = floats("FSUB", 0x4ea0d400)  // n-m
	faddp = floats("FADDP", 0x6e20d400) // sums of pairs, n's and then m's
	fmax  = floats("FMAX", 0x4e20f400)
	fmul  = floats("FMUL", 0x6e20dc00)
	fcmgt = floats("FCMGT", 0x6ea0e400) // all ones where n > m
	scvtf = floats("SCVTF", 0x4e21d800) // of integers of the same size
	// fmaxAll is the largest element of one register.
	fmaxAll = [...]instruction{{"FMAXV", 0x6e30f800, "S", "4S"}, {"FMAXP", 0x7e70f800, "D", "2D"}}
)

func floats(name string, bits uint32) [2]instruction {
	return [...]instruction{{name, bits, "4S", "4S"}, {name, bits | 1<<22, "2D", "2D"}}
}

// word writes i with one operand n or with two, m and n, and the destination d:
// regs is n, d or m, n, d.
func (n *neon) word(i instruction, regs ...vec) {
	bits, comment := i.bits, ""
	for k := range regs {
		r := regs[len(regs)-1-k] // ARM has the destination first
		bits |= uint32(r) << [...]int{0, 5, 16}[k]
		switch {
		case k > 0:
			comment += fmt.Sprintf(", V%d.%s", int(r), i.fromAs)
		case len(i.as) == 1: // a scalar
			comment = fmt.Sprintf("%s%d", i.as, int(r))
		default:
			comment = fmt.Sprintf("V%d.%s", int(r), i.as)
		}
	}
	n.ins("WORD", fmt.Sprintf("$0x%08x // %s %s", bits, i.name, comment))
}
