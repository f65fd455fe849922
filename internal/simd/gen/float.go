package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// precision says whether elements are float32 or float64.
type precision int

const (
	single precision = iota
	double
)

func (s precision) String() string { return [...]string{"float32", "float64"}[s] }
func (s precision) bits() string   { return [...]string{"32", "64"}[s] }
func (s precision) size() int      { return [...]int{4, 8}[s] }

func floatFamily(a *asm, o op, s precision) family {
	typ := s.String()
	return family{
		name: [...]string{"dot", "l2x"}[o] + s.bits(),
		out:  typ, q: typ, x: typ, size: s.size(), ahead: 4,
		prepare: func(q, dim reg.Register) row { return a.floatRow(o, s, q, dim) },
		stride:  func(dim reg.Register) { a.SHLQ(operand.Imm(uint64(2+s)), dim) },
	}
}

func l2Pair(s precision) func(*asm)        { return func(a *asm) { a.pair(floatFamily(a, squared, s)) } }
func dotRows(s precision) func(*asm)       { return func(a *asm) { a.rows(floatFamily(a, product, s)) } }
func floatAt(o op, s precision) func(*asm) { return func(a *asm) { a.at(floatFamily(a, o, s)) } }

// floatRow sums over rows of dim elements, not 0, in four accumulators; what is
// left of 128 bytes goes to the first of them. A row has the same sum, to the
// bit, in every shape of kernel.
func (a *asm) floatRow(o op, s precision, q, dim reg.Register) row {
	size := s.size()
	mov, maskMov, sub, fma, add, hadd := a.VMOVUPS, a.VMASKMOVPS, a.VSUBPS, a.VFMADD231PS, a.VADDPS, a.VHADDPS
	if s == double {
		mov, maskMov, sub, fma, add, hadd = a.VMOVUPD, a.VMASKMOVPD, a.VSUBPD, a.VFMADD231PD, a.VADDPD, a.VHADDPD
	}
	// The size of a row, and how much of that fills whole registers.
	bytes, whole := a.GP64(), a.GP64()
	a.MOVQ(dim, bytes)
	a.SHLQ(operand.Imm(uint64(2+s)), bytes)
	// The mask lets through the elements that are left: a window into 32 bytes of
	// ones followed by 32 of zeros.
	words := make([]uint32, 16)
	for i := range 8 {
		words[i] = ^uint32(0)
	}
	window := a.words("mask", words...)
	mask, base, left := a.YMM(), a.GP64(), a.GP64()
	a.LEAQ(window, base)
	a.MOVQ(bytes, left)
	a.ANDQ(operand.Imm(31), left)
	a.MOVQ(bytes, whole)
	a.SUBQ(left, whole)
	a.SUBQ(left, base)
	a.VMOVDQU(at(base, 32), mask)

	qp, count := a.GP64(), a.GP64()
	more, t := a.ymms(3), a.ymms(4)
	step := func(acc, t reg.VecVirtual, x operand.Op) {
		if o == product {
			fma(x, t, acc)
		} else {
			sub(x, t, t)
			fma(t, t, acc)
		}
	}
	return row{
		sum: func(p reg.GPVirtual, acc reg.VecVirtual, line func(disp int)) {
			loop, eight, rest, end := a.label("loop"), a.label("register"), a.label("rest"), a.label("end")
			a.zero(acc)
			a.zero(more...)
			a.MOVQ(q, qp)
			a.MOVQ(whole, count)
			a.SUBQ(operand.U8(128), count)
			a.JL(a.to(eight))
			a.Label(loop)
			for i, sum := range append([]reg.VecVirtual{acc}, more...) {
				if line != nil && i%2 == 0 {
					line(32 * i)
				}
				mov(at(qp, 32*i), t[i])
				step(sum, t[i], at(p, 32*i))
			}
			a.SUBQ(operand.I8(-128), qp)
			a.SUBQ(operand.I8(-128), p)
			a.ADDQ(operand.I8(-128), count)
			a.JGE(a.to(loop))
			a.Label(eight)
			a.ADDQ(operand.I8(96), count)
			a.JL(a.to(rest))
			if line != nil {
				line(0)
				line(64)
			}
			rem := a.label("remaining")
			a.Label(rem)
			mov(at(qp, 0), t[0])
			step(acc, t[0], at(p, 0))
			a.ADDQ(operand.Imm(32), qp)
			a.ADDQ(operand.Imm(32), p)
			a.SUBQ(operand.Imm(32), count)
			a.JGE(a.to(rem))
			a.Label(rest)
			a.TESTQ(left, left)
			a.JE(a.to(end))
			maskMov(at(qp, 0), mask, t[0])
			maskMov(at(p, 0), mask, t[1])
			step(acc, t[0], t[1])
			a.ADDQ(left, p)
			a.Label(end)
			add(more[0], acc, acc)
			add(more[2], more[1], more[1])
			add(more[1], acc, acc)
		},
		reduce4: func(acc []reg.VecVirtual, dst reg.Register) {
			hadd(acc[1], acc[0], acc[0])
			hadd(acc[3], acc[2], acc[2])
			if s == single {
				hadd(acc[2], acc[0], acc[0])
				a.VEXTRACTF128(operand.Imm(1), acc[0], t[0].AsX())
				a.VADDPS(t[0].AsX(), acc[0].AsX(), acc[0].AsX())
				a.VMOVUPS(acc[0].AsX(), at(dst, 0))
				return
			}
			a.VPERM2F128(operand.Imm(0x20), acc[2], acc[0], t[0])
			a.VPERM2F128(operand.Imm(0x31), acc[2], acc[0], t[1])
			a.VADDPD(t[1], t[0], t[0])
			a.VMOVUPD(t[0], at(dst, 0))
		},
		reduce1: func(acc reg.VecVirtual, dst reg.Register) {
			hadd(acc, acc, acc)
			if s == single {
				hadd(acc, acc, acc)
			}
			a.VEXTRACTF128(operand.Imm(1), acc, t[0].AsX())
			add(t[0].AsX(), acc.AsX(), acc.AsX())
			if size == 4 {
				a.VMOVSS(acc.AsX(), at(dst, 0))
			} else {
				a.VMOVSD(acc.AsX(), at(dst, 0))
			}
		},
	}
}
