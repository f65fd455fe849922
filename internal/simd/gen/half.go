package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A half of a code is the upper four bits of each element, two elements to a byte:
// of n bytes, byte j holds element j in its lower four bits and element n+j in its
// upper ones. Whatever width a kernel takes at a time, its queries are as they are.
// The kernels make an element seven bits again, with the middle of what the lower
// three may be in their place.

func halfFamily(a *asm, o op, s codeSet) family {
	f := codeFamily(a, o, s)
	f.name = "half" + o.name()
	f.prepare = func(q, dim reg.Register) row { return a.halfRow(o, s, q, dim) }
	return f
}

func halfRows(o op, s codeSet) func(*asm) { return func(a *asm) { a.rows(halfFamily(a, o, s)) } }

func halfAt(o op, s codeSet) func(*asm) { return func(a *asm) { a.at(halfFamily(a, o, s)) } }

// halfRow sums over rows of dim bytes, a multiple of 32 and not 0: 64 at a time,
// where that is one register, and the 32 that may be left.
func (a *asm) halfRow(o op, s codeSet, q, dim reg.Register) row {
	step := a.codeStep(o, s)
	qp, count := a.GP64(), a.GP64()
	mask, mid := a.words("upper", 0x78787878), a.words("middle", 0x04040404)
	masks, mids := a.YMM(), a.YMM()
	a.VPBROADCASTD(mask, masks)
	a.VPBROADCASTD(mid, mids)
	x, lower, second := a.YMM(), a.YMM(), a.YMM()
	r := a.codeSums(lower)
	wide, wideX, wideLower, wideMasks, wideMids := a.ZMM(), a.ZMM(), a.ZMM(), a.ZMM(), a.ZMM()
	if s == vnni {
		a.VPBROADCASTD(mask, wideMasks)
		a.VPBROADCASTD(mid, wideMids)
	}
	// add adds what x holds; the query's lower elements are at qp, and the others dim after.
	add := func(acc, other, x, lower, masks, mids reg.VecVirtual) {
		a.VPSLLW(operand.Imm(3), x, lower)
		a.VPSRLW(operand.Imm(1), x, x)
		for _, v := range []reg.VecVirtual{lower, x} {
			if s == vnni {
				a.VPTERNLOGD(operand.U8(0xea), mids, masks, v) // v and masks, or mids
			} else {
				a.VPAND(masks, v, v)
				a.VPOR(mids, v, v)
			}
		}
		step(acc, at(qp, 0), lower, lower)
		step(other, operand.Mem{Base: qp, Index: dim, Scale: 1}, x, x)
	}
	r.sum = func(p reg.GPVirtual, acc reg.VecVirtual, line func(disp int)) {
		loop, last, end := a.label("loop"), a.label("last"), a.label("end")
		size := int32(32)
		a.zero(acc, second)
		a.MOVQ(q, qp)
		a.MOVQ(dim, count)
		if s == vnni {
			size = 64
			a.VPXORD(wide, wide, wide)
		}
		a.SUBQ(operand.Imm(uint64(size)), count)
		a.JL(a.to(last))
		a.Label(loop)
		if line != nil {
			line(0)
		}
		if s == vnni {
			a.VMOVDQU64(at(p, 0), wideX)
			add(wide, wide, wideX, wideLower, wideMasks, wideMids)
		} else {
			a.VMOVDQU(at(p, 0), x)
			add(acc, second, x, lower, masks, mids)
		}
		a.ADDQ(operand.Imm(uint64(size)), qp)
		a.ADDQ(operand.Imm(uint64(size)), p)
		a.SUBQ(operand.Imm(uint64(size)), count)
		a.JGE(a.to(loop))
		a.Label(last)
		if s == vnni {
			a.CMPQ(count, operand.I8(-32))
			a.JNE(a.to(end))
			if line != nil {
				line(0)
			}
			a.VMOVDQU(at(p, 0), x)
			add(acc, second, x, lower, masks, mids)
			a.ADDQ(operand.Imm(32), p)
			a.Label(end)
			a.VPADDD(wide.AsY(), acc, acc)
			a.VEXTRACTI64X4(operand.Imm(1), wide, x)
			a.VPADDD(x, acc, acc)
		}
		a.VPADDD(second, acc, acc)
	}
	return r
}
