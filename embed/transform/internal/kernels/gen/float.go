package main

import (
	"math"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// broadcast returns a register that has a float32 argument in all its lanes.
func (a *asm) broadcast(param string) reg.VecVirtual {
	p, err := a.Param(param).Resolve()
	if err != nil {
		panic(err)
	}
	r := a.vec()
	a.VBROADCASTSS(p.Addr, r)
	return r
}

// maxOf, addTo and addInts are what across combines lanes by.
func (a *asm) maxOf(x, y, dst operand.Op)   { a.VMAXPS(x, y, dst) }
func (a *asm) addTo(x, y, dst operand.Op)   { a.VADDPS(x, y, dst) }
func (a *asm) addInts(x, y, dst operand.Op) { a.VPADDD(x, y, dst) }

// scale finds the scale by which the largest of n elements of x becomes 127, and
// what to multiply them by, in all lanes: 0 for a row of zeros, of which the inverse
// is infinite.
func (a *asm) scale(x, n reg.GPVirtual, scale, factor reg.VecVirtual) {
	p, count := a.GP64(), a.GP64()
	most, abs, t := a.vec(), a.vec(), a.vec()
	a.VMOVUPS(a.words(0x7fffffff), abs)
	a.zero(most)
	a.MOVQ(x, p)
	a.MOVQ(n, count)
	a.each(count, func() {
		a.VANDPS(at(p, 0), abs, t)
		a.VMAXPS(t, most, most)
	}, p)
	a.across(a.maxOf, most, t)
	limit, zero := a.XMM(), a.XMM()
	a.VMOVSS(a.floats(127), limit)
	a.VDIVSS(limit, most.AsX(), scale)
	a.VDIVSS(most.AsX(), limit, factor.AsX())
	a.VPXOR(zero, zero, zero)
	a.VCMPSS(operand.Imm(notEqual), zero, most.AsX(), t.AsX())
	a.VANDPS(t.AsX(), factor.AsX(), factor.AsX())
	a.VBROADCASTSS(factor.AsX(), factor)
}

// quantize rounds to the nearest integer, and to the even one of two.
func quantize(a *asm) {
	args := a.begin("quantizeAVX2",
		"quantizeAVX2 sets dst to x, n elements, divided by the scale that it returns and rounded. n is a multiple of eight and not 0.",
		"func(dst *int16, x *float32, n int) float32", "dst", "x", "n")
	dst, x, n := args[0], args[1], args[2]
	scale, factor, t, high := a.XMM(), a.vec(), a.vec(), a.XMM()
	a.scale(x, n, scale, factor)
	a.each(n, func() {
		a.VMULPS(at(x, 0), factor, t)
		a.VCVTPS2DQ(t, t)
		a.VEXTRACTI128(operand.Imm(1), t, high)
		a.VPACKSSDW(high, t.AsX(), t.AsX())
		a.VMOVDQU(t.AsX(), at(dst, 0))
		a.ADDQ(operand.Imm(16), dst)
	}, x)
	a.Store(scale, a.ReturnIndex(0))
	a.end()
}

// notEqual is VCMPSS's predicate for a != b or one of them NaN (Intel SDM, NEQ_UQ).
const notEqual = 4

// addNorm needs three passes over a row that is in the nearest cache.
func addNorm(a *asm) {
	args := a.begin("addNorm"+a.form(),
		"addNorm"+a.form()+" adds y to x, n elements, and makes the mean of the sum 0 and its variance 1; then it multiplies by w and adds b. n is a multiple of "+a.count()+", share is 1/n.",
		"func(x, y, w, b *float32, n int, share, eps float32)", "x", "y", "w", "b", "n")
	x, y, w, b, n := args[0], args[1], args[2], args[3], args[4]
	share, eps := a.broadcast("share"), a.broadcast("eps")
	p, count := a.GP64(), a.GP64()
	mean, factor, t := a.vec(), a.vec(), a.vec()
	a.zero(mean, factor)
	a.MOVQ(x, p)
	a.MOVQ(n, count)
	a.each(count, func() {
		a.VMOVUPS(at(p, 0), t)
		a.VADDPS(at(y, 0), t, t)
		a.VMOVUPS(t, at(p, 0))
		a.VADDPS(t, mean, mean)
	}, p, y)
	a.across(a.addTo, mean, t)
	a.VMULSS(share.AsX(), mean.AsX(), mean.AsX())
	a.VBROADCASTSS(mean.AsX(), mean)
	a.MOVQ(x, p)
	a.MOVQ(n, count)
	a.each(count, func() {
		a.VMOVUPS(at(p, 0), t)
		a.VSUBPS(mean, t, t)
		a.VFMADD231PS(t, t, factor)
	}, p)
	a.across(a.addTo, factor, t)
	a.VMULSS(share.AsX(), factor.AsX(), factor.AsX())
	a.VADDSS(eps.AsX(), factor.AsX(), factor.AsX())
	a.VSQRTSS(factor.AsX(), factor.AsX(), factor.AsX())
	one := a.XMM()
	a.VMOVSS(a.floats(1), one)
	a.VDIVSS(factor.AsX(), one, factor.AsX())
	a.VBROADCASTSS(factor.AsX(), factor)
	by := a.vec()
	a.each(n, func() {
		a.VMOVUPS(at(x, 0), t)
		a.VSUBPS(mean, t, t)
		a.VMULPS(factor, t, t)
		a.VMOVUPS(at(b, 0), by)
		a.VFMADD132PS(at(w, 0), by, t)
		a.VMOVUPS(t, at(x, 0))
	}, x, w, b)
	a.end()
}

// polynomial evaluates one by Horner's rule, the highest power first.
func (a *asm) polynomial(x, dst reg.VecVirtual, coefficients ...float64) {
	a.VMOVUPS(a.floats(coefficients[0]), dst)
	for _, c := range coefficients[1:] {
		a.VFMADD213PS(a.floats(c), x, dst)
	}
}

// gelu has the error function of portable.go.
func gelu(a *asm) {
	args := a.begin("gelu"+a.form(),
		"gelu"+a.form()+" replaces each x by x*Phi(x), with the normal distribution's Phi. n is a multiple of "+a.count()+".",
		"func(x *float32, n int)", "x", "n")
	x, n := args[0], args[1]
	v, e, square, p, q, half := a.vec(), a.vec(), a.vec(), a.vec(), a.vec(), a.vec()
	a.VMOVUPS(a.floats(0.5), half)
	a.each(n, func() {
		a.VMOVUPS(at(x, 0), v)
		a.VMULPS(a.floats(1/math.Sqrt2), v, e)
		a.VMAXPS(a.floats(-4), e, e)
		a.VMINPS(a.floats(4), e, e)
		a.VMULPS(e, e, square)
		a.polynomial(square, p, -2.72614225801306e-10, 2.77068142495902e-08, -2.10102402082508e-06, -5.69250639462346e-05,
			-7.34990630326855e-04, -2.95459980854025e-03, -1.60960333262415e-02)
		a.polynomial(square, q, -1.45660718464996e-05, -2.13374055278905e-04, -1.68282697438203e-03, -7.37332916720468e-03,
			-1.42647390514189e-02)
		a.VMULPS(p, e, e)
		a.VDIVPS(q, e, e)
		a.VMULPS(half, v, v)
		a.VFMADD213PS(v, v, e) // v*e + v
		a.VMOVUPS(e, at(x, 0))
	}, x)
	a.end()
}

// softmax computes the exponential function as portable.go does.
func softmax(a *asm) {
	args := a.begin("softmax"+a.form(),
		"softmax"+a.form()+" replaces each x by exp(factor*x), divided by the sum of all. n is a multiple of "+a.count()+" and not 0.",
		"func(x *float32, n int, factor float32)", "x", "n")
	x, n := args[0], args[1]
	factor := a.broadcast("factor")
	p, count := a.GP64(), a.GP64()
	most, sum := a.vec(), a.vec()
	v, r, t := a.vec(), a.vec(), a.vec()
	a.VMOVUPS(at(x, 0), most)
	a.MOVQ(x, p)
	a.MOVQ(n, count)
	a.each(count, func() { a.VMAXPS(at(p, 0), most, most) }, p)
	a.across(a.maxOf, most, t)
	a.VBROADCASTSS(most.AsX(), most)
	a.zero(sum)
	a.MOVQ(x, p)
	a.MOVQ(n, count)
	a.each(count, func() {
		a.VMOVUPS(at(p, 0), v)
		a.VSUBPS(most, v, v)
		a.VMULPS(factor, v, v)
		a.VMAXPS(a.floats(leastExponent), v, v)
		a.VMULPS(a.floats(math.Log2E), v, r)
		a.round(r)
		a.VFNMADD231PS(a.floats(ln2High), r, v)
		a.VFNMADD231PS(a.floats(ln2Low), r, v)
		a.polynomial(v, t, 1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 5.0000001201e-1, 1, 1)
		a.VCVTPS2DQ(r, r)
		a.VPSLLD(operand.Imm(23), r, r)
		a.VPADDD(r, t, t)
		a.VMOVUPS(t, at(p, 0))
		a.VADDPS(t, sum, sum)
	}, p)
	a.across(a.addTo, sum, t)
	one := a.XMM()
	a.VMOVSS(a.floats(1), one)
	a.VDIVSS(sum.AsX(), one, sum.AsX())
	a.VBROADCASTSS(sum.AsX(), sum)
	a.each(n, func() {
		a.VMULPS(at(x, 0), sum, t)
		a.VMOVUPS(t, at(x, 0))
	}, x)
	a.end()
}

// These are the constants of portable.go.
const (
	leastExponent = -87
	ln2High       = 0.693359375
	ln2Low        = -2.12194440e-4
)
