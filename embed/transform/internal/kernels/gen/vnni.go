package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// mostVNNI is how many rows of activations meet each register of weights: so many
// that the products, of which the CPU begins one a cycle, take longer than the loads.
const mostVNNI = 12

// denseVNNI multiplies a panel of 16 rows of weights, of which 64 bytes are four
// columns, with up to twelve rows. VPDPBUSD multiplies bytes without a sign by bytes
// with one: the weights get 128 added, as their sign bit is turned over, and each sum
// begins with -128 times the sum of the activations.
func denseVNNI(a *asm) {
	args := a.begin("denseVNNI",
		"denseVNNI sets 16 elements of each of n rows of dst, stride bytes apart, to the products of a row of x and the rows of a panel of weights. There are columns columns, a multiple of 16 and not 0; n is from 1 to 12; row i of x adds up to sums[i]/-128.",
		"func(dst *float32, stride int, x *int8, xScales *float32, sums *int32, n, columns int, weights *int8, scales, bias *float32)",
		"dst", "stride", "x", "xScales", "sums", "n", "columns", "weights", "scales", "bias")
	dst, stride, x, xScales, sums, n, columns, weights, scales, bias := args[0], args[1], args[2], args[3], args[4], args[5], args[6], args[7], args[8], args[9]

	sum, w, sign := a.vecs(mostVNNI), a.vec(), a.vec()
	a.VMOVUPS(a.words(0x80808080), sign)
	left := a.GP64()
	a.MOVQ(columns, left)
	// A pointer for each three rows.
	rows := make([]reg.GPVirtual, mostVNNI/3)
	at3 := func(i, disp int) operand.Mem {
		m := operand.Mem{Base: rows[i/3], Disp: disp}
		if i%3 > 0 {
			m.Index, m.Scale = columns, uint8(i%3)
		}
		return m
	}
	for i := range rows {
		rows[i] = x
		if i > 0 {
			rows[i] = a.GP64()
			a.LEAQ(operand.Mem{Base: rows[i-1], Index: columns, Scale: 2}, rows[i])
			a.ADDQ(columns, rows[i])
		}
	}
	for count := mostVNNI; count > 0; count-- {
		fewer := a.label("fewer")
		if count > 1 {
			a.CMPQ(n, operand.Imm(uint64(count)))
			a.JL(to(fewer))
		}
		for i := range count {
			a.VPBROADCASTD(at(sums, 4*i), sum[i])
		}
		loop := a.label("columns")
		a.Label(loop)
		for group := range 4 {
			a.VPXORD(at(weights, 64*group), sign, w)
			for i := range count {
				a.VPDPBUSD_BCST(at3(i, 4*group), w, sum[i])
			}
		}
		a.ADDQ(operand.U32(256), weights)
		for i := 0; i < count; i += 3 {
			a.ADDQ(operand.Imm(16), rows[i/3])
		}
		a.SUBQ(operand.Imm(16), left)
		a.JNE(to(loop))
		// The same roundings as portable.go's: no sum with its product.
		a.VMOVUPS(at(scales, 0), w)
		for i := range count {
			a.VCVTDQ2PS(sum[i], sum[i])
			factor := a.vec()
			a.VMULPS_BCST(at(xScales, 4*i), w, factor)
			a.VMULPS(factor, sum[i], sum[i])
			a.VADDPS(at(bias, 0), sum[i], sum[i])
			a.VMOVUPS(sum[i], at(dst, 0))
			if i+1 < count {
				a.ADDQ(stride, dst)
			}
		}
		a.VZEROUPPER()
		a.RET()
		a.Label(fewer)
	}
}

// quantizeBytes is quantize with bytes, and their sum.
func quantizeBytes(a *asm) {
	args := a.begin("quantizeAVX512",
		"quantizeAVX512 sets dst to x, n elements, divided by the scale that it returns and rounded, and sum to -128 times the sum of dst. n is a multiple of sixteen and not 0.",
		"func(dst *int8, x *float32, n int, sum *int32) float32", "dst", "x", "n", "sum")
	dst, x, n, sum := args[0], args[1], args[2], args[3]
	scale, factor := a.XMM(), a.vec()
	a.scale(x, n, scale, factor)
	t, total := a.vec(), a.vec()
	a.zero(total)
	a.each(n, func() {
		a.VMULPS(at(x, 0), factor, t)
		a.VCVTPS2DQ(t, t)
		a.VPADDD(t, total, total)
		a.VPMOVSDB(t, at(dst, 0))
		a.ADDQ(operand.Imm(16), dst)
	}, x)
	a.across(a.addInts, total, t)
	a.VPSLLD(operand.Imm(7), total.AsX(), total.AsX())
	a.VPXOR(t.AsX(), t.AsX(), t.AsX())
	a.VPSUBD(total.AsX(), t.AsX(), t.AsX())
	a.VMOVD(t.AsX(), at(sum, 0))
	a.Store(scale, a.ReturnIndex(0))
	a.end()
}
