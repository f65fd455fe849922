package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A codeSet is what a CPU has to add up products of bytes.
type codeSet int

const (
	avx2 codeSet = iota
	vnni         // AVX-512 with VL, BW and VNNI
)

func (s codeSet) String() string { return [...]string{"AVX2", "VNNI"}[s] }

func codeFamily(a *asm, o op, s codeSet) family {
	q := "uint8"
	if o == product {
		q = "int8"
	}
	return family{
		name: "code" + o.name(), set: s.String(), out: "int32", q: q, x: "uint8", size: 4, ahead: 8,
		prepare: func(q, dim reg.Register) row { return a.codeRow(o, s, q, dim) },
		stride:  func(reg.Register) {},
	}
}

func codeRows(o op, s codeSet) func(*asm) { return func(a *asm) { a.rows(codeFamily(a, o, s)) } }
func codeAt(o op, s codeSet) func(*asm)   { return func(a *asm) { a.at(codeFamily(a, o, s)) } }

// codeRow sums over rows of dim bytes, a multiple of 32 and not 0: 64 at a time,
// then the 32 that may be left.
func (a *asm) codeRow(o op, s codeSet, q, dim reg.Register) row {
	step := a.codeStep(o, s)
	qp, count := a.GP64(), a.GP64()
	second, t := a.YMM(), a.ymms(2)
	wide, wideT := a.ZMM(), a.ZMM()
	r := a.codeSums(t[0])
	r.sum = func(p reg.GPVirtual, acc reg.VecVirtual, line func(disp int)) {
		loop, last, end := a.label("loop"), a.label("last"), a.label("end")
		if s == vnni {
			a.VPXORD(wide, wide, wide)
		}
		a.zero(acc, second)
		a.MOVQ(q, qp)
		a.MOVQ(dim, count)
		a.SUBQ(operand.Imm(64), count)
		a.JL(a.to(last))
		a.Label(loop)
		if line != nil {
			line(0)
		}
		if s == vnni {
			a.VMOVDQU64(at(p, 0), wideT)
			step(wide, at(qp, 0), wideT, wideT)
		} else {
			for i, sum := range []reg.VecVirtual{acc, second} {
				a.VMOVDQU(at(p, 32*i), t[i])
				step(sum, at(qp, 32*i), t[i], t[i])
			}
		}
		a.ADDQ(operand.Imm(64), qp)
		a.ADDQ(operand.Imm(64), p)
		a.SUBQ(operand.Imm(64), count)
		a.JGE(a.to(loop))
		a.Label(last)
		a.CMPQ(count, operand.I8(-32))
		a.JNE(a.to(end))
		if line != nil {
			line(0)
		}
		a.VMOVDQU(at(p, 0), t[0])
		step(acc, at(qp, 0), t[0], t[0])
		a.ADDQ(operand.Imm(32), p)
		a.Label(end)
		if s == vnni {
			a.VEXTRACTI64X4(operand.Imm(1), wide, second)
			a.VPADDD(wide.AsY(), acc, acc)
		}
		a.VPADDD(second, acc, acc)
	}
	return r
}

// codeSums returns a row that has all but sum, which is to leave eight int32 in acc. t
// is for its use.
func (a *asm) codeSums(t reg.VecVirtual) row {
	return row{
		reduce4: func(acc []reg.VecVirtual, dst reg.Register) {
			a.VMOVDQU(a.codeReduce4(acc), at(dst, 0))
		},
		reduce1: func(acc reg.VecVirtual, dst reg.Register) {
			a.VPHADDD(acc, acc, acc)
			a.VPHADDD(acc, acc, acc)
			a.VEXTRACTI128(operand.Imm(1), acc, t.AsX())
			a.VPADDD(t.AsX(), acc.AsX(), acc.AsX())
			a.VMOVD(acc.AsX(), at(dst, 0))
		},
	}
}

// codeStep returns what adds up q and x, a register of bytes, in acc. Codes have
// seven bits, so that differences are signed bytes as well as unsigned ones.
func (a *asm) codeStep(o op, s codeSet) func(acc reg.VecVirtual, q operand.Op, x, t reg.VecVirtual) {
	if s == vnni {
		return func(acc reg.VecVirtual, q operand.Op, x, t reg.VecVirtual) {
			if o == product {
				a.VPDPBUSD(q, x, acc)
				return
			}
			a.VPSUBB(q, x, t)
			a.VPABSB(t, t)
			a.VPDPBUSD(t, t, acc)
		}
	}
	ones := a.ones()
	// VPMADDUBSW takes unsigned bytes times signed ones and adds pairs in 16 bits:
	// 2*127*127 and 2*127*-128 fit.
	return func(acc reg.VecVirtual, q operand.Op, x, t reg.VecVirtual) {
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
}

// ones returns a register of sixteen int16 of 1.
func (a *asm) ones() reg.VecVirtual {
	ones := a.YMM()
	a.VPCMPEQW(ones, ones, ones)
	a.VPSRLW(operand.Imm(15), ones, ones)
	return ones
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
