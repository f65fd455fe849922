package main

// neonWalshHadamard computes the sums and differences of the portable version:
// distances 1 and 2 inside registers, 4 to 32 between the registers of 64
// elements, and the others between such blocks, two at a time.
func neonWalshHadamard(n *neon) {
	args := n.begin("walshHadamardKernel", "walshHadamardKernel transforms n elements in place; n is a power of two, 64 or more.",
		"", param{"x", "*float32"}, param{"n", "int"})
	x, size := args[0], args[1]
	r, t := n.vecsOf(16), n.vecsOf(1)[0]
	p, end := n.gp(), n.gp()
	n.ins("LSL", imm(2), size)
	n.ins("MOVD", x, p)
	n.ins("ADD", size, x, end)

	block := n.newLabel("block")
	n.label(block)
	for i := 0; i < len(r); i += 2 {
		n.ins("FLDPQ", off(p, 16*i), vecPair(r[i], r[i+1]))
	}
	for i := 0; i < len(r); i += 2 {
		a, b := &r[i], &r[i+1]
		// shuffle sets a and b to what two instructions make of them.
		shuffle := func(first, second, lanes string) {
			n.ins(first, b.as(lanes), a.as(lanes), t.as(lanes))
			n.ins(second, b.as(lanes), a.as(lanes), b.as(lanes))
			*a, t = t, *a
		}
		// a0 a1 a2 a3 and b0 b1 b2 b3 become a0 b0 a2 b2 and a1 b1 a3 b3, which
		// are one apart; then, of those sums and differences, what is two apart; and
		// then they return to their places.
		shuffle("VTRN1", "VTRN2", "S4")
		n.butterfly(a, b, &t)
		shuffle("VTRN1", "VTRN2", "D2")
		n.butterfly(a, b, &t)
		shuffle("VUZP1", "VUZP2", "S4")
	}
	for h := 1; h < len(r); h *= 2 {
		for i := range r {
			if i&h == 0 {
				n.butterfly(&r[i], &r[i+h], &t)
			}
		}
	}
	for i := 0; i < len(r); i += 2 {
		n.ins("FSTPQ", vecPair(r[i], r[i+1]), off(p, 16*i))
	}
	n.ins("ADD", imm(256), p)
	n.ins("CMP", end, p)
	n.ins("BLO", block)

	// From here on, distances in bytes. h and 2h go in one pass.
	h, h2, stop := n.gp(), n.gp(), n.gp()
	ps := []gp{p, n.gp(), n.gp(), n.gp()}
	n.ins("MOVD", imm(256), h)
	four, group, inner := n.newLabel("four"), n.newLabel("group"), n.newLabel("inner")
	two, pair, done := n.newLabel("two"), n.newLabel("pair"), n.newLabel("done")
	load := func(ps []gp) {
		for i, p := range ps {
			n.ins("FLDPQ", off(p, 0), vecPair(r[2*i], r[2*i+1]))
		}
	}
	store := func(ps []gp) {
		for i, p := range ps {
			n.ins("FSTPQ.P", vecPair(r[2*i], r[2*i+1]), off(p, 32))
		}
	}
	n.label(four)
	n.ins("LSL", imm(1), h, h2)
	n.ins("CMP", size, h2)
	n.ins("BGE", two)
	n.ins("MOVD", x, p)
	n.label(group)
	for i := range ps[1:] {
		n.ins("ADD", h, ps[i], ps[i+1])
	}
	n.ins("MOVD", ps[1], stop)
	n.label(inner)
	load(ps)
	for _, pair := range [][2]int{{0, 1}, {2, 3}, {0, 2}, {1, 3}} {
		for i := range 2 {
			n.butterfly(&r[2*pair[0]+i], &r[2*pair[1]+i], &t)
		}
	}
	store(ps)
	n.ins("CMP", stop, p)
	n.ins("BLO", inner)
	n.ins("MOVD", ps[3], p)
	n.ins("CMP", end, p)
	n.ins("BLO", group)
	n.ins("LSL", imm(2), h)
	n.ins("B", four)

	// One distance may be left: half of the whole.
	n.label(two)
	n.ins("CMP", size, h)
	n.ins("BGE", done)
	n.ins("MOVD", x, p)
	n.ins("ADD", h, x, ps[1])
	n.label(pair)
	load(ps[:2])
	for i := range 2 {
		n.butterfly(&r[i], &r[2+i], &t)
	}
	store(ps[:2])
	n.ins("CMP", end, ps[1])
	n.ins("BLO", pair)
	n.label(done)
	n.ins("RET")
}

// butterfly sets x to x+y and y to x-y. It needs a register, and gives back
// another one.
func (n *neon) butterfly(x, y, free *vec) {
	n.word(fadd[single], *y, *x, *free)
	n.word(fsub[single], *y, *x, *y)
	*x, *free = *free, *x
}

func neonPrefetch(n *neon) {
	args := n.begin("prefetch", "prefetch asks for the cache line that p points into and the next one.", "", param{"p", "*byte"})
	n.ins("PRFM", off(args[0], 0), "PLDL1KEEP")
	n.ins("PRFM", off(args[0], 64), "PLDL1KEEP")
	n.ins("RET")
}

func neonReverse4(n *neon) {
	args := n.begin("reverse4", "reverse4 copies n bytes, a multiple of 32 and not 0, each 4 of them in reverse order.",
		"", param{"dst", "*byte"}, param{"src", "*byte"}, param{"n", "int"})
	dst, src, left := args[0], args[1], args[2]
	t := n.vecsOf(4)
	loop, last, done := n.newLabel("loop"), n.newLabel("last"), n.newLabel("done")
	// some does as many registers as t has.
	some := func(t []vec) {
		for i := 0; i < len(t); i += 2 {
			n.ins("FLDPQ.P", off(src, 32), vecPair(t[i], t[i+1]))
		}
		for _, r := range t {
			n.ins("VREV32", r.as("B16"), r.as("B16"))
		}
		for i := 0; i < len(t); i += 2 {
			n.ins("FSTPQ.P", vecPair(t[i], t[i+1]), off(dst, 32))
		}
	}
	n.ins("SUBS", imm(64), left, left)
	n.ins("BLT", last)
	n.label(loop)
	some(t)
	n.ins("SUBS", imm(64), left, left)
	n.ins("BGE", loop)
	n.label(last)
	n.ins("CMN", imm(32), left)
	n.ins("BNE", done)
	some(t[:2])
	n.label(done)
	n.ins("RET")
}
