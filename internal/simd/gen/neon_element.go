package main

// neonSub and neonMaximum take 32 bytes at a time; what is left is Go's.

func neonSub(s precision) func(*neon) {
	return func(n *neon) {
		typ, name := "*"+s.String(), "sub"+s.bits()
		args := n.begin(name, name+" subtracts y from x. n is a multiple of 32 bytes, and not 0.", "", param{"x", typ}, param{"y", typ}, param{"n", "int"})
		x, y, left := args[0], args[1], args[2]
		a, b := n.vecsOf(2), n.vecsOf(2)
		loop := n.newLabel("loop")
		n.ins("LSL", imm(2+int(s)), left)
		n.label(loop)
		n.ins("FLDPQ", off(x, 0), vecPair(a[0], a[1]))
		n.ins("FLDPQ.P", off(y, 32), vecPair(b[0], b[1]))
		for i := range a {
			n.word(fsub[s], b[i], a[i], a[i])
		}
		n.ins("FSTPQ.P", vecPair(a[0], a[1]), off(x, 32))
		n.ins("SUBS", imm(32), left, left)
		n.ins("BNE", loop)
		n.ins("RET")
	}
}

func neonMaximum(s precision) func(*neon) {
	return func(n *neon) {
		typ, name := s.String(), "max"+s.bits()
		args := n.begin(name, name+" returns the largest element of x. n is a multiple of 32 bytes, and not 0.", typ, param{"x", "*" + typ}, param{"n", "int"})
		x, left := args[0], args[1]
		m, t := n.vecsOf(2), n.vecsOf(2)
		loop, done := n.newLabel("loop"), n.newLabel("done")
		n.ins("LSL", imm(2+int(s)), left)
		n.ins("FLDPQ.P", off(x, 32), vecPair(m[0], m[1]))
		n.label(loop)
		n.ins("SUBS", imm(32), left, left)
		n.ins("BEQ", done)
		n.ins("FLDPQ.P", off(x, 32), vecPair(t[0], t[1]))
		for i := range m {
			n.word(fmax[s], t[i], m[i], m[i])
		}
		n.ins("B", loop)
		n.label(done)
		n.word(fmax[s], m[1], m[0], m[0])
		n.word(fmaxAll[s], m[0], m[0])
		n.ins([...]string{"FMOVS", "FMOVD"}[s], m[0], argument("ret", 16))
		n.ins("RET")
	}
}
