package main

// The kernels of half.go for arm64.

func neonHalfFamily(o op) neonFamily {
	f := neonCodeFamily(o)
	f.name = "half" + o.name()
	f.prepare = func(n *neon, q, dim gp, use func(neonRow)) {
		qp, other, count, second := n.gp(), n.gp(), n.gp(), n.vecsOf(1)[0]
		masks, mids := n.vecsOf(1)[0], n.vecsOf(1)[0]
		qv, lower, upper := n.vecsOf(4), n.vecsOf(2), n.vecsOf(2)
		n.ins("VMOVI", imm(0x78), masks.as("B16"))
		n.ins("VMOVI", imm(0x04), mids.as("B16"))
		n.codeSteps(o, func(step codeStep) {
			r := n.codeSums()
			r.sum = func(p gp, acc vec, line func(int)) {
				loop := n.newLabel("loop")
				n.zero(acc, second)
				n.ins("MOVD", q, qp)
				n.ins("ADD", dim, q, other)
				n.ins("MOVD", dim, count)
				n.label(loop)
				line(0)
				n.ins("FLDPQ.P", off(p, 32), vecPair(upper[0], upper[1]))
				n.ins("FLDPQ.P", off(qp, 32), vecPair(qv[0], qv[1]))
				n.ins("FLDPQ.P", off(other, 32), vecPair(qv[2], qv[3]))
				for i := range upper {
					n.ins("VSHL", imm(3), upper[i].as("B16"), lower[i].as("B16"))
					n.ins("VUSHR", imm(1), upper[i].as("B16"), upper[i].as("B16"))
					for _, v := range []vec{lower[i], upper[i]} {
						n.ins("VAND", masks.as("B16"), v.as("B16"), v.as("B16"))
						n.ins("VORR", mids.as("B16"), v.as("B16"), v.as("B16"))
					}
				}
				step(acc, qv[:2], lower)
				step(second, qv[2:], upper)
				n.ins("SUBS", imm(32), count, count)
				n.ins("BNE", loop)
				n.ins("VADD", second.as("S4"), acc.as("S4"), acc.as("S4"))
			}
			use(r)
		})
	}
	return f
}

func neonHalfRows(o op) func(*neon) { return func(n *neon) { n.rows(neonHalfFamily(o)) } }

func neonHalfAt(o op) func(*neon) { return func(n *neon) { n.at(neonHalfFamily(o)) } }
