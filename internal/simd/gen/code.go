package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func codeFamily(a *asm, o op) family {
	q := "uint8"
	if o == product {
		q = "int8"
	}
	return family{
		name: "code" + o.name(), out: "int32", q: q, x: "uint8", size: 4, ahead: 8,
		prepare: func(q, dim reg.Register) row { return a.codeRow(o, q, dim) },
		stride:  func(reg.Register) {},
	}
}

func codeRows(o op) func(*asm) { return func(a *asm) { a.rows(codeFamily(a, o)) } }
func codeAt(o op) func(*asm)   { return func(a *asm) { a.at(codeFamily(a, o)) } }

// codeRow sums over rows of dim bytes, a multiple of 32 and not 0.
func (a *asm) codeRow(o op, q, dim reg.Register) row {
	ones := a.ones()
	qp, count := a.GP64(), a.GP64()
	second, t := a.YMM(), a.ymms(2)
	return row{
		sum: func(p reg.GPVirtual, acc reg.VecVirtual, line func()) {
			loop, last, end := a.label("loop"), a.label("last"), a.label("end")
			a.zero(acc, second)
			a.MOVQ(q, qp)
			a.MOVQ(dim, count)
			a.SUBQ(operand.Imm(64), count)
			a.JL(a.to(last))
			a.Label(loop)
			if line != nil {
				line()
			}
			for i, s := range []reg.VecVirtual{acc, second} {
				a.VMOVDQU(at(p, 32*i), t[i])
				a.codeStep(o, s, at(qp, 32*i), t[i], t[i], ones)
			}
			a.ADDQ(operand.Imm(64), qp)
			a.ADDQ(operand.Imm(64), p)
			a.SUBQ(operand.Imm(64), count)
			a.JGE(a.to(loop))
			a.Label(last)
			a.CMPQ(count, operand.I8(-32))
			a.JNE(a.to(end))
			if line != nil {
				line()
			}
			a.VMOVDQU(at(p, 0), t[0])
			a.codeStep(o, acc, at(qp, 0), t[0], t[0], ones)
			a.ADDQ(operand.Imm(32), p)
			a.Label(end)
			a.VPADDD(second, acc, acc)
		},
		reduce4: func(acc []reg.VecVirtual, dst reg.Register) {
			a.VMOVDQU(a.codeReduce4(acc), at(dst, 0))
		},
		reduce1: func(acc reg.VecVirtual, dst reg.Register) {
			a.VPHADDD(acc, acc, acc)
			a.VPHADDD(acc, acc, acc)
			a.VEXTRACTI128(operand.Imm(1), acc, t[0].AsX())
			a.VPADDD(t[0].AsX(), acc.AsX(), acc.AsX())
			a.VMOVD(acc.AsX(), at(dst, 0))
		},
	}
}

// ones returns a register of sixteen int16 of 1.
func (a *asm) ones() reg.VecVirtual {
	r := a.YMM()
	a.VPCMPEQW(r, r, r)
	a.VPSRLW(operand.Imm(15), r, r)
	return r
}

// codeStep adds up 32 bytes of q and x, a register, in acc. VPMADDUBSW takes unsigned bytes
// times signed ones and adds pairs in 16 bits: 2*127*127 and 2*127*-128 fit.
func (a *asm) codeStep(o op, acc reg.VecVirtual, q operand.Op, x, t, ones reg.VecVirtual) {
	if o == product {
		a.VPMADDUBSW(q, x, t)
	} else {
		a.VPSUBB(q, x, t)
		a.VPABSB(t, t)
		a.VPMADDUBSW(t, t, t)
	}
	a.VPMADDWD(ones, t, t)
	a.VPADDD(t, acc, acc)
}

// codeReduce4 returns the sums of four registers of int32.
func (a *asm) codeReduce4(acc []reg.VecVirtual) reg.Register {
	a.VPHADDD(acc[1], acc[0], acc[0])
	a.VPHADDD(acc[3], acc[2], acc[2])
	a.VPHADDD(acc[2], acc[0], acc[0])
	a.VEXTRACTI128(operand.Imm(1), acc[0], acc[1].AsX())
	a.VPADDD(acc[1].AsX(), acc[0].AsX(), acc[0].AsX())
	return acc[0].AsX()
}

// codeRowsMany is four queries at once: each 32 bytes of two rows are loaded once
// and meet all of them.
func codeRowsMany(o op) func(*asm) {
	return func(a *asm) {
		f := codeFamily(a, o)
		name := f.name + "RowsMany"
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
		ones := a.ones()
		acc, x, t, qv := a.ymms(8), a.ymms(2), a.ymms(2), a.YMM()
		next, loop, done := a.label("next"), a.label("loop"), a.label("done")
		a.Label(next)
		a.SUBQ(operand.Imm(2), n)
		a.JL(a.to(done))
		a.zero(acc...)
		a.XORQ(off, off)
		a.Label(loop)
		a.VMOVDQU(at(rows, 0), x[0])
		a.VMOVDQU(operand.Mem{Base: rows, Index: dim, Scale: 1}, x[1])
		a.PREFETCHT0(operand.Mem{Base: rows, Index: dim, Scale: 1, Disp: scanAhead})
		for i := range q {
			a.VMOVDQU(operand.Mem{Base: q[i], Index: off, Scale: 1}, qv)
			for j := range x {
				a.codeStep(o, acc[2*i+j], qv, x[j], t[j], ones)
			}
		}
		a.ADDQ(operand.Imm(32), rows)
		a.ADDQ(operand.Imm(32), off)
		a.CMPQ(off, dim)
		a.JNE(a.to(loop))
		a.ADDQ(dim, rows)
		for i := 0; i < len(dst); i += 2 {
			s := a.codeReduce4(acc[2*i : 2*i+4])
			a.VMOVQ(s, at(dst[i], 0))
			a.VPEXTRQ(operand.Imm(1), s, at(dst[i+1], 0))
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
