package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// wideRows is how many rows the kernels of float64 sums take.
const wideRows = 4

// wide writes a kernel that sums over four rows in float64, as portable Go
// does: four sums a row, one for each element of four, of products that are rounded before
// they are added. Rows do not wait for each other. With squares it also sums the squares of
// the rows' elements, in four sums more behind all others.
func wide(o op, squares bool, s precision) func(*asm) {
	name, doc := "wide"+o.name(), "the products of q and"
	if o == squared {
		doc = "the squared differences of q and"
	}
	if squares {
		name, doc = name+"Square", "the products and, behind them, the squares of"
	}
	name += s.bits()
	load := (*asm).VCVTPS2PD
	if s == double {
		load = (*asm).VMOVUPD
	}
	return func(a *asm) {
		args := a.begin(name, name+" sets dst to four sums for each row over "+doc+" each of four rows. n is a multiple of 4, and not 0.",
			"func(dst *float64, q *float64, rows *[4]*"+s.String()+", n int)", "dst", "q", "rows", "n")
		dst, q, rows, n := args[0], args[1], args[2], args[3]
		p := a.gps(wideRows)
		for i, r := range p {
			a.MOVQ(at(rows, 8*i), r)
		}
		sums := a.ymms(wideRows)
		a.zero(sums...)
		var more []reg.VecVirtual
		if squares {
			more = a.ymms(wideRows)
			a.zero(more...)
		}
		y, x, t := a.YMM(), a.YMM(), a.YMM()
		i, loop := a.GP64(), a.label("loop")
		a.XORQ(i, i)
		a.Label(loop)
		a.VMOVUPD(operand.Mem{Base: q, Index: i, Scale: 8}, y)
		for r := range wideRows {
			load(a, operand.Mem{Base: p[r], Index: i, Scale: uint8(s.size())}, x)
			if o == product {
				a.VMULPD(x, y, t)
			} else {
				a.VSUBPD(x, y, t)
				a.VMULPD(t, t, t)
			}
			a.VADDPD(t, sums[r], sums[r])
			if squares {
				a.VMULPD(x, x, x)
				a.VADDPD(x, more[r], more[r])
			}
		}
		a.ADDQ(operand.Imm(4), i)
		a.CMPQ(i, n)
		a.JL(a.to(loop))
		for r, v := range append(sums, more...) {
			a.VMOVUPD(v, at(dst, 32*r))
		}
		a.VZEROUPPER()
		a.RET()
	}
}
