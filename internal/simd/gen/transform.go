package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// walshHadamard does the steps in the order of the portable version: distances 1,
// 2, 4 inside registers, 8, 16, 32 between the registers of 64 elements, and the
// others between such blocks, two at a time.
func walshHadamard(a *asm) {
	args := a.begin("walshHadamardKernel", "walshHadamardKernel transforms n elements in place; n is a power of two, 64 or more.",
		"func(x *float32, n int)", "x", "n")
	x, n := args[0], args[1]
	signs := a.ymms(3)
	for i, name := range []string{"signs1", "signs2", "signs4"} {
		words := make([]uint32, 8)
		for j := range words {
			if j>>i&1 == 1 {
				words[j] = 1 << 31
			}
		}
		a.VMOVUPS(a.words(name, words...), signs[i])
	}
	r, t, u := a.ymms(8), a.YMM(), a.YMM()
	p, end := a.GP64(), a.GP64()
	a.MOVQ(x, p)
	a.LEAQ(operand.Mem{Base: x, Index: n, Scale: 4}, end)

	block := a.label("block")
	a.Label(block)
	for i := range r {
		a.VMOVUPS(at(p, 32*i), r[i])
		// Each element and its partner: a+b in the lower, a-b in the upper.
		for j, sign := range signs {
			switch j {
			case 0:
				a.VPERMILPS(operand.Imm(0b10_11_00_01), r[i], t)
			case 1:
				a.VPERMILPS(operand.Imm(0b01_00_11_10), r[i], t)
			case 2:
				a.VPERM2F128(operand.Imm(1), r[i], r[i], t)
			}
			a.VXORPS(sign, r[i], u)
			a.VADDPS(u, t, r[i])
		}
	}
	for h := 1; h < len(r); h *= 2 {
		for i := range r {
			if i&h == 0 {
				a.butterfly(r[i], r[i+h], t)
				r[i], t = t, r[i]
			}
		}
	}
	for i := range r {
		a.VMOVUPS(r[i], at(p, 32*i))
	}
	a.ADDQ(operand.U32(256), p)
	a.CMPQ(p, end)
	a.JB(a.to(block))

	// From here on, distances in bytes. h and 2h go in one pass.
	h, h2, h3, stop := a.GP64(), a.GP64(), a.GP64(), a.GP64()
	size := n
	a.SHLQ(operand.Imm(2), size)
	a.MOVQ(operand.U32(256), h)
	four, group, inner, two, pair, done := a.label("four"), a.label("group"), a.label("inner"), a.label("two"), a.label("pair"), a.label("done")
	v := r[:4]
	w := r[4:]
	a.Label(four)
	a.LEAQ(operand.Mem{Base: h, Index: h, Scale: 1}, h2)
	a.CMPQ(h2, size)
	a.JGE(a.to(two))
	a.LEAQ(operand.Mem{Base: h, Index: h, Scale: 2}, h3)
	a.MOVQ(x, p)
	a.Label(group)
	a.LEAQ(operand.Mem{Base: p, Index: h, Scale: 1}, stop)
	a.Label(inner)
	m := []operand.Mem{at(p, 0), {Base: p, Index: h, Scale: 1}, {Base: p, Index: h, Scale: 2}, {Base: p, Index: h3, Scale: 1}}
	for i := range v {
		a.VMOVUPS(m[i], v[i])
	}
	for i := 0; i < 4; i += 2 {
		a.VADDPS(v[i+1], v[i], w[i])
		a.VSUBPS(v[i+1], v[i], w[i+1])
	}
	for i := range 2 {
		a.VADDPS(w[i+2], w[i], v[i])
		a.VSUBPS(w[i+2], w[i], v[i+2])
	}
	for i := range v {
		a.VMOVUPS(v[i], m[i])
	}
	a.ADDQ(operand.Imm(32), p)
	a.CMPQ(p, stop)
	a.JB(a.to(inner))
	a.ADDQ(h3, p)
	a.CMPQ(p, end)
	a.JB(a.to(group))
	a.SHLQ(operand.Imm(2), h)
	a.JMP(a.to(four))

	// One distance may be left: half of the whole.
	a.Label(two)
	a.CMPQ(h, size)
	a.JGE(a.to(done))
	a.MOVQ(x, p)
	a.LEAQ(operand.Mem{Base: x, Index: h, Scale: 1}, stop)
	a.Label(pair)
	a.VMOVUPS(at(p, 0), v[0])
	a.VMOVUPS(operand.Mem{Base: p, Index: h, Scale: 1}, v[1])
	a.butterfly(v[0], v[1], t)
	a.VMOVUPS(t, at(p, 0))
	a.VMOVUPS(v[1], operand.Mem{Base: p, Index: h, Scale: 1})
	a.ADDQ(operand.Imm(32), p)
	a.CMPQ(p, stop)
	a.JB(a.to(pair))
	a.Label(done)
	a.VZEROUPPER()
	a.RET()
}

// butterfly sets sum to x+y and y to x-y.
func (a *asm) butterfly(x, y, sum reg.VecVirtual) {
	a.VADDPS(y, x, sum)
	a.VSUBPS(y, x, y)
}

func prefetch(a *asm) {
	args := a.begin("prefetch", "prefetch asks for the cache line that p points into and the next one.", "func(p *byte)", "p")
	a.PREFETCHT0(at(args[0], 0))
	a.PREFETCHT0(at(args[0], 64))
	a.RET()
}

func reverse4(a *asm) {
	args := a.begin("reverse4", "reverse4 copies n bytes, a multiple of 32, each 4 of them in reverse order.", "func(dst, src *byte, n int)", "dst", "src", "n")
	dst, src, n := args[0], args[1], args[2]
	words := make([]uint32, 8)
	for i := range words {
		words[i] = 0x00010203 + uint32(i%4*4)*0x01010101
	}
	order, t := a.YMM(), a.ymms(4)
	a.VMOVDQU(a.words("order", words...), order)
	loop, one, last, done := a.label("loop"), a.label("one"), a.label("last"), a.label("done")
	a.SUBQ(operand.U8(128), n)
	a.JL(a.to(one))
	a.Label(loop)
	for i := range t {
		a.VMOVDQU(at(src, 32*i), t[i])
		a.VPSHUFB(order, t[i], t[i])
	}
	for i := range t {
		a.VMOVDQU(t[i], at(dst, 32*i))
	}
	a.SUBQ(operand.I8(-128), src)
	a.SUBQ(operand.I8(-128), dst)
	a.ADDQ(operand.I8(-128), n)
	a.JGE(a.to(loop))
	a.Label(one)
	a.ADDQ(operand.I8(96), n)
	a.JL(a.to(done))
	a.Label(last)
	a.VMOVDQU(at(src, 0), t[0])
	a.VPSHUFB(order, t[0], t[0])
	a.VMOVDQU(t[0], at(dst, 0))
	a.ADDQ(operand.Imm(32), src)
	a.ADDQ(operand.Imm(32), dst)
	a.SUBQ(operand.Imm(32), n)
	a.JGE(a.to(last))
	a.Label(done)
	a.VZEROUPPER()
	a.RET()
}
