package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// atMost writes the kernels that compare integers with limits, 64 to a word. A
// comparison with NaN is true.
func atMost(o op) func(*asm) {
	return func(a *asm) {
		name, doc := "atMostLine", "near + factor*x"
		if o == squared {
			name, doc = "atMostSquare", "(near + x)^2 * factor"
		}
		args := a.begin(name, name+" sets the bits of words to whether each key is at most "+doc+".",
			"func(set *uint64, keys *int32, x *float32, near, factor float32, words int)", "set", "keys", "x", "words")
		set, keys, x, words := args[0], args[1], args[2], args[3]
		near, by := a.broadcast("near"), a.broadcast("factor")
		key, limit := a.ymms(2), a.ymms(2)
		word, bits := a.GP64(), a.GP64()
		loop, done := a.label("loop"), a.label("done")
		a.Label(loop)
		a.SUBQ(operand.Imm(1), words)
		a.JL(a.to(done))
		for i := range 8 {
			k, l := key[i%2], limit[i%2]
			a.VCVTDQ2PS(at(keys, 32*i), k)
			if o == squared {
				a.VADDPS(at(x, 32*i), near, l)
				a.VMULPS(l, l, l)
				a.VMULPS(l, by, l)
			} else {
				a.VMULPS(at(x, 32*i), by, l)
				a.VADDPS(l, near, l)
			}
			a.VCMPPS(operand.Imm(notGreater), l, k, k)
			to := bits
			if i == 0 {
				to = word
			}
			a.VMOVMSKPS(k, to.As32())
			if i > 0 {
				a.SHLQ(operand.Imm(uint64(8*i)), bits)
				a.ORQ(bits, word)
			}
		}
		a.MOVQ(word, at(set, 0))
		a.ADDQ(operand.Imm(8), set)
		a.ADDQ(operand.U32(256), keys)
		a.ADDQ(operand.U32(256), x)
		a.JMP(a.to(loop))
		a.Label(done)
		a.VZEROUPPER()
		a.RET()
	}
}

// notGreater is VCMPPS's predicate for a <= b or one of them NaN (Intel SDM, NGT_UQ).
const notGreater = 0x1a

// broadcast returns a register filled with a float32 parameter.
func (a *asm) broadcast(param string) reg.VecVirtual {
	x, all := a.XMM(), a.YMM()
	a.Load(a.Param(param), x)
	a.VBROADCASTSS(x, all)
	return all
}
