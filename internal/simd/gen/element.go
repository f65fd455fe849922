package main

import (
	"github.com/mmcloughlin/avo/operand"
)

// sub and maximum take whole registers of elements; what is left is Go's.

func sub(s precision) func(*asm) {
	return func(a *asm) {
		typ := s.String()
		name := "sub" + s.bits()
		args := a.begin(name, name+" subtracts y from x. n is a multiple of 32 bytes.", "func(x, y *"+typ+", n int)", "x", "y", "n")
		x, y, n := args[0], args[1], args[2]
		mov, sub := a.VMOVUPS, a.VSUBPS
		if s == double {
			mov, sub = a.VMOVUPD, a.VSUBPD
		}
		t := a.YMM()
		loop, done := a.label("loop"), a.label("done")
		a.SHLQ(operand.Imm(uint64(2+s)), n)
		a.Label(loop)
		a.SUBQ(operand.Imm(32), n)
		a.JL(a.to(done))
		mov(at(x, 0), t)
		sub(at(y, 0), t, t)
		mov(t, at(x, 0))
		a.ADDQ(operand.Imm(32), x)
		a.ADDQ(operand.Imm(32), y)
		a.JMP(a.to(loop))
		a.Label(done)
		a.VZEROUPPER()
		a.RET()
	}
}

func maximum(s precision) func(*asm) {
	return func(a *asm) {
		typ := s.String()
		name := "max" + s.bits()
		args := a.begin(name, name+" returns the largest element of x. n is a multiple of 32 bytes, and not 0.", "func(x *"+typ+", n int) "+typ, "x", "n")
		x, n := args[0], args[1]
		mov, larger, swap := a.VMOVUPS, a.VMAXPS, a.VPERMILPS
		if s == double {
			mov, larger, swap = a.VMOVUPD, a.VMAXPD, a.VPERMILPD
		}
		m, t := a.YMM(), a.YMM()
		loop, done := a.label("loop"), a.label("done")
		a.SHLQ(operand.Imm(uint64(2+s)), n)
		mov(at(x, 0), m)
		a.Label(loop)
		a.SUBQ(operand.Imm(32), n)
		a.JLE(a.to(done))
		a.ADDQ(operand.Imm(32), x)
		larger(at(x, 0), m, m)
		a.JMP(a.to(loop))
		a.Label(done)
		a.VEXTRACTF128(operand.Imm(1), m, t.AsX())
		larger(t.AsX(), m.AsX(), m.AsX())
		if s == single {
			swap(operand.Imm(0b01_00_11_10), m.AsX(), t.AsX())
			larger(t.AsX(), m.AsX(), m.AsX())
			swap(operand.Imm(0b10_11_00_01), m.AsX(), t.AsX())
		} else {
			swap(operand.Imm(0b01), m.AsX(), t.AsX())
		}
		larger(t.AsX(), m.AsX(), m.AsX())
		a.VZEROUPPER()
		a.Store(m.AsX(), a.ReturnIndex(0))
		a.RET()
	}
}
