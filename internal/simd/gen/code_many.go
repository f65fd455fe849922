package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// codeRowsMany is four queries at once: each 32 bytes of two rows are loaded once
// and meet all of them. The squared distance is |q|^2 + |x|^2 - 2*q*x: that takes one
// product of bytes instead of a difference, its amount and its square, and |x|^2 is
// the same for all queries.
func codeRowsMany(o op, s codeSet) func(*asm) {
	return func(a *asm) {
		f := codeFamily(a, o, s)
		name := f.name + "RowsMany" + f.set
		args := a.begin(name, name+" sets each dst to the sums of its q and each of n rows of dim elements. n is a multiple of 2.",
			"func(dst *[4]*int32, q *[4]*"+f.q+", rows *uint8, dim, n int)", "dst", "q", "rows", "dim", "n")
		rows, dim, n := args[2], args[3], args[4]
		q, dst, off := a.gps(4), a.gps(4), a.GP64()
		for i := range q {
			a.MOVQ(at(args[1], 8*i), q[i])
		}
		for i := range dst {
			a.MOVQ(at(args[0], 8*i), dst[i])
		}
		acc, own, x, qv := a.ymms(8), a.ymms(2), a.ymms(2), a.YMM()
		step := a.codeProduct(s)
		along := func(body func()) {
			loop := a.label("loop")
			a.zero(acc...)
			if o == squared {
				a.zero(own...)
			}
			a.XORQ(off, off)
			a.Label(loop)
			body()
			a.ADDQ(operand.Imm(32), off)
			a.CMPQ(off, dim)
			a.JNE(a.to(loop))
		}
		next, done := a.label("next"), a.label("done")
		var squares []operand.Mem // of the queries: the first two, each twice, then the others; AVX2 has no register left
		if o == squared {
			local := a.AllocLocal(32)
			squares = []operand.Mem{local, local.Offset(16)}
			along(func() {
				for i := range q {
					a.VMOVDQU(operand.Mem{Base: q[i], Index: off, Scale: 1}, x[0])
					step(acc[2*i], x[0], x[0])
				}
			})
			for i, sq := range squares { // the sums between are 0
				sum := a.codeReduce4(acc[4*i : 4*i+4])
				a.VPSHUFD(operand.Imm(0b10_10_00_00), sum, sum)
				a.VMOVDQU(sum, sq)
			}
		}
		a.Label(next)
		a.SUBQ(operand.Imm(2), n)
		a.JL(a.to(done))
		along(func() {
			a.VMOVDQU(at(rows, 0), x[0])
			a.VMOVDQU(operand.Mem{Base: rows, Index: dim, Scale: 1}, x[1])
			a.PREFETCHT0(operand.Mem{Base: rows, Index: dim, Scale: 1, Disp: scanAhead})
			for i := range q {
				a.VMOVDQU(operand.Mem{Base: q[i], Index: off, Scale: 1}, qv)
				for j := range x {
					step(acc[2*i+j], qv, x[j])
				}
			}
			if o == squared {
				for j := range x {
					step(own[j], x[j], x[j])
				}
			}
			a.ADDQ(operand.Imm(32), rows)
		})
		a.ADDQ(dim, rows)
		if o == squared { // both rows' products with themselves, twice
			a.VPHADDD(own[1], own[0], own[0])
			a.VPHADDD(own[0], own[0], own[0])
			a.VEXTRACTI128(operand.Imm(1), own[0], own[1].AsX())
			a.VPADDD(own[1].AsX(), own[0].AsX(), own[0].AsX())
		}
		for i := 0; i < len(dst); i += 2 {
			sum := a.codeReduce4(acc[2*i : 2*i+4])
			if o == squared {
				a.VPADDD(sum, sum, sum)
				a.VMOVDQU(squares[i/2], qv.AsX())
				a.VPSUBD(sum, qv.AsX(), sum)
				a.VPADDD(own[0].AsX(), sum, sum)
			}
			a.VMOVQ(sum, at(dst[i], 0))
			a.VPEXTRQ(operand.Imm(1), sum, at(dst[i+1], 0))
		}
		for i := range dst {
			a.ADDQ(operand.Imm(8), dst[i])
		}
		a.JMP(a.to(next))
		a.Label(done)
		a.VZEROUPPER()
		a.RET()
	}
}

// codeProduct returns what adds the products of q, signed, and x, which is not, to
// acc.
func (a *asm) codeProduct(s codeSet) func(acc reg.VecVirtual, q operand.Op, x reg.VecVirtual) {
	if s == vnni {
		return func(acc reg.VecVirtual, q operand.Op, x reg.VecVirtual) { a.VPDPBUSD(q, x, acc) }
	}
	ones, t := a.ones(), a.YMM()
	// Two products fit in 16 bits: 2*127*127 and 2*127*-128.
	return func(acc reg.VecVirtual, q operand.Op, x reg.VecVirtual) {
		a.VPMADDUBSW(q, x, t)
		a.VPMADDWD(ones, t, t)
		a.VPADDD(t, acc, acc)
	}
}
