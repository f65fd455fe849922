package main

// neonAtMost is atMost for NEON. It asks which keys are larger, which none is than
// NaN, and turns that around.
func neonAtMost(o op) func(*neon) {
	return func(n *neon) {
		name, doc := "atMostLine", "near + factor*x"
		if o == squared {
			name, doc = "atMostSquare", "(near + x)^2 * factor"
		}
		args := n.begin(name, name+" sets the bits of words to whether each key is at most "+doc+".", "",
			param{"set", "*uint64"}, param{"keys", "*int32"}, param{"x", "*float32"},
			param{"near", "float32"}, param{"factor", "float32"}, param{"words", "int"})
		set, keys, x, words := args[0], args[1], args[2], args[5]
		consts, key, limit, larger := n.vecsOf(3), n.vecsOf(4), n.vecsOf(4), n.vecsOf(4)
		near, by, bits := consts[0], consts[1], consts[2]
		n.ins("VDUP", args[3], near.as("S4"))
		n.ins("VDUP", args[4], by.as("S4"))
		// Each byte of eight has a bit of its own.
		bit := n.gp()
		n.ins("MOVD", "$0x8040201008040201", bit)
		n.ins("VDUP", bit, bits.as("D2"))

		loop, done := n.newLabel("loop"), n.newLabel("done")
		n.label(loop)
		n.ins("SUBS", imm(1), words, words)
		n.ins("BLT", done)
		for _, all := range larger { // 16 keys, a byte for each
			for i := 0; i < 4; i += 2 {
				n.ins("FLDPQ.P", off(keys, 32), vecPair(key[i], key[i+1]))
				n.ins("FLDPQ.P", off(x, 32), vecPair(limit[i], limit[i+1]))
			}
			for i, k := range key {
				l := limit[i]
				n.word(scvtf[single], k, k)
				// As in Go, no product and sum are fused.
				if o == squared {
					n.word(fadd[single], l, near, l)
					n.word(fmul[single], l, l, l)
					n.word(fmul[single], by, l, l)
				} else {
					n.word(fmul[single], by, l, l)
					n.word(fadd[single], l, near, l)
				}
				n.word(fcmgt[single], l, k, k)
			}
			halves := func(a, b, to vec, lanes string) { n.ins("VUZP1", b.as(lanes), a.as(lanes), to.as(lanes)) }
			halves(key[0], key[1], key[0], "H8")
			halves(key[2], key[3], key[2], "H8")
			halves(key[0], key[2], all, "B16")
			n.word(bic, all, bits, all)
		}
		// Sums of eight bytes each, which share no bits.
		for _, pair := range [][2]int{{0, 1}, {2, 3}, {0, 2}, {0, 0}} {
			a, b := larger[pair[0]].as("B16"), larger[pair[1]].as("B16")
			n.ins("VADDP", b, a, a)
		}
		n.ins("FMOVD.P", larger[0], off(set, 8))
		n.ins("B", loop)
		n.label(done)
		n.ins("RET")
	}
}
