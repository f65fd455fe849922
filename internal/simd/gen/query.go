package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// float32s returns a register of eight float32 that are all the one in memory.
func (a *asm) float32s(m operand.Mem) reg.VecVirtual {
	v := a.YMM()
	a.VBROADCASTSS(m, v)
	return v
}

// scaled writes the kernel that makes of a query what searches need, in float64 and rounded.
func scaled(a *asm) {
	args := a.begin("scaledKernel", "scaledKernel sets wide to q divided by norm, narrow to wide rounded, and centred to (wide-mean)*inv rounded, n elements each, a multiple of 4 and not 0.",
		"func(wide *float64, narrow, centred, q *float32, mean *float64, n int, norm, inv float64)",
		"wide", "narrow", "centred", "q", "mean", "n")
	wide, narrow, centred, q, mean, n := args[0], args[1], args[2], args[3], args[4], args[5]
	norm, inv := a.YMM(), a.YMM()
	for _, p := range []struct {
		name string
		to   reg.VecVirtual
	}{{"norm", norm}, {"inv", inv}} {
		x := a.XMM()
		a.Load(a.Param(p.name), x)
		a.VBROADCASTSD(x, p.to)
	}
	x := a.YMM()
	i, loop := a.GP64(), a.label("loop")
	a.XORQ(i, i)
	a.Label(loop)
	a.VCVTPS2PD(operand.Mem{Base: q, Index: i, Scale: 4}, x)
	a.VDIVPD(norm, x, x)
	a.VMOVUPD(x, operand.Mem{Base: wide, Index: i, Scale: 8})
	y := a.XMM()
	a.VCVTPD2PSY(x, y)
	a.VMOVUPS(y, operand.Mem{Base: narrow, Index: i, Scale: 4})
	a.VSUBPD(operand.Mem{Base: mean, Index: i, Scale: 8}, x, x)
	a.VMULPD(inv, x, x)
	a.VCVTPD2PSY(x, y)
	a.VMOVUPS(y, operand.Mem{Base: centred, Index: i, Scale: 4})
	a.ADDQ(operand.Imm(4), i)
	a.CMPQ(i, n)
	a.JL(a.to(loop))
	a.VZEROUPPER()
	a.RET()
}

// quantize writes the kernel that rounds elements to codes of 0 to 127.
func quantize(a *asm) {
	args := a.begin("quantizeKernel", "quantizeKernel sets code to y+64, rounded, of at least 0 and at most 127, lost to four sums of the squares of what that leaves out, and squares to eight of those of code-64. n is a multiple of 8, and not 0.",
		"func(code *uint8, y *float32, n int, lost *[4]float64, squares *[8]int32)", "code", "y", "n", "lost", "squares")
	code, y, n, lost, squares := args[0], args[1], args[2], args[3], args[4]
	least, most := a.float32s(a.words("least", 0xc2800000)), a.float32s(a.words("most", 0x427c0000)) // -64 and 63
	zero, half := a.float32s(a.words("zero", 0x42800000)), a.float32s(a.words("half", 0x3f000000))   // 64 and 1/2
	sums := a.ymms(2)
	square, ints := a.YMM(), a.YMM()
	a.zero(append(sums, square)...)
	a.VCVTPS2DQ(zero, ints)
	v, k, t, u := a.YMM(), a.YMM(), a.YMM(), a.YMM()
	i, loop := a.GP64(), a.label("loop")
	a.XORQ(i, i)
	a.Label(loop)
	a.VMOVUPS(operand.Mem{Base: y, Index: i, Scale: 4}, v)
	a.VMINPS(most, v, k)
	a.VMAXPS(least, k, k)
	a.VADDPS(zero, k, k)
	a.VADDPS(half, k, k)
	a.VCVTTPS2DQ(k, k)
	a.VCVTDQ2PS(k, t)
	a.VSUBPS(zero, t, t) // exact, as are the differences in float64
	for part, sum := range sums {
		x, z := a.YMM(), a.YMM()
		a.VEXTRACTF128(operand.Imm(uint64(part)), v, x.AsX())
		a.VEXTRACTF128(operand.Imm(uint64(part)), t, z.AsX())
		a.VCVTPS2PD(x.AsX(), x)
		a.VCVTPS2PD(z.AsX(), z)
		a.VSUBPD(z, x, x)
		a.VMULPD(x, x, x)
		a.VADDPD(x, sum, sum)
	}
	a.VPSUBD(ints, k, u)
	a.VPMULLD(u, u, u)
	a.VPADDD(u, square, square)
	a.VEXTRACTI128(operand.Imm(1), k, u.AsX())
	a.VPACKUSDW(u.AsX(), k.AsX(), k.AsX())
	a.VPACKUSWB(k.AsX(), k.AsX(), k.AsX())
	a.VMOVQ(k.AsX(), operand.Mem{Base: code, Index: i, Scale: 1})
	a.ADDQ(operand.Imm(8), i)
	a.CMPQ(i, n)
	a.JL(a.to(loop))
	a.VADDPD(sums[1], sums[0], sums[0])
	a.VMOVUPD(sums[0], at(lost, 0))
	a.VMOVDQU(square, at(squares, 0))
	a.VZEROUPPER()
	a.RET()
}
