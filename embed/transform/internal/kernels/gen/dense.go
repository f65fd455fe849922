package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// most is how many rows of activations meet each weight that is loaded: as many as
// there are registers for their sums.
const most = 6

// dense multiplies a panel of 16 rows of weights with n rows. The panel holds four
// bytes of each of its rows, then the next four of each, and so on. Sixteen of its
// bytes, widened to 16 bits, are four rows and meet a register that has the same
// four activations four times. VPMADDWD makes two sums for each row of weights of
// that, which are added up at the end. No sum can overflow: it would take 66,000
// columns.
func dense(a *asm) {
	args := a.begin("denseAVX2",
		"denseAVX2 sets 16 elements of each of n rows of dst, stride bytes apart, to the products of a row of x and the rows of a panel of weights. There are columns columns, a multiple of four and not 0.",
		"func(dst *float32, stride int, x *int16, xScales *float32, n, columns int, weights *int8, scales, bias *float32)",
		"dst", "stride", "x", "xScales", "n", "columns", "weights", "scales", "bias")
	dst, stride, x, xScales, n, columns, weights, scales, bias := args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7], args[8]
	size := a.GP64()
	a.LEAQ(operand.Mem{Base: columns, Index: columns, Scale: 1}, size)

	sum, wide, b, t := a.vecs(2*most), a.vecs(2), a.YMM(), a.YMM()
	rows := func(count int) {
		in := rowsAt{a.GP64(), a.GP64(), size}
		w, left := a.GP64(), a.GP64()
		for half := range 2 {
			a.zero(sum[:2*count]...)
			a.MOVQ(weights, w)
			a.MOVQ(columns, left)
			a.MOVQ(x, in.first)
			a.fourth(in, count)
			loop := a.label("columns")
			a.Label(loop)
			for i := range wide {
				a.VPMOVSXBW(at(w, 32*half+16*i), wide[i])
			}
			for i := range count {
				a.VPBROADCASTQ(in.at(i), b)
				a.VPMADDWD(wide[0], b, t)
				a.VPADDD(t, sum[2*i], sum[2*i])
				a.VPMADDWD(wide[1], b, b)
				a.VPADDD(b, sum[2*i+1], sum[2*i+1])
			}
			a.ADDQ(operand.Imm(64), w)
			a.ADDQ(operand.Imm(8), in.first)
			if count > 3 {
				a.ADDQ(operand.Imm(8), in.fourth)
			}
			a.SUBQ(operand.Imm(4), left)
			a.JNE(to(loop))

			out := rowsAt{in.first, in.fourth, stride}
			a.LEAQ(at(dst, 32*half), out.first)
			a.fourth(out, count)
			for i := range count {
				s := sum[2*i]
				a.VPHADDD(sum[2*i+1], s, s)
				a.VPERMQ(operand.Imm(0b11_01_10_00), s, s)
				a.VCVTDQ2PS(s, s)
				a.VBROADCASTSS(at(xScales, 4*i), b)
				a.VMULPS(at(scales, 32*half), b, b)
				a.VMULPS(b, s, s)
				a.VADDPS(at(bias, 32*half), s, s)
				a.VMOVUPS(s, out.at(i))
			}
		}
	}
	next, done := a.label("rows"), a.label("done")
	a.Label(next)
	for count := most; count > 0; count-- {
		fewer := a.label("fewer")
		a.CMPQ(n, operand.Imm(uint64(count)))
		a.JL(to(fewer))
		rows(count)
		for range count {
			a.ADDQ(stride, dst)
			a.ADDQ(size, x)
		}
		a.ADDQ(operand.Imm(uint64(4*count)), xScales)
		a.SUBQ(operand.Imm(uint64(count)), n)
		a.JMP(to(next))
		a.Label(fewer)
	}
	a.Label(done)
	a.end()
}

// rowsAt addresses up to six rows that are stride bytes apart, from two pointers.
type rowsAt struct{ first, fourth, stride reg.GPVirtual }

func (r rowsAt) at(i int) operand.Mem {
	m := operand.Mem{Base: r.first}
	if i >= 3 {
		m.Base = r.fourth
	}
	if i%3 > 0 {
		m.Index, m.Scale = r.stride, uint8(i%3)
	}
	return m
}

// fourth points r.fourth at the fourth row, if there are so many.
func (a *asm) fourth(r rowsAt, count int) {
	if count > 3 {
		a.LEAQ(operand.Mem{Base: r.first, Index: r.stride, Scale: 2}, r.fourth)
		a.ADDQ(r.stride, r.fourth)
	}
}
