package main

// lanes is the arrangement of whole registers of elements, for Go's assembler.
func (s precision) lanes() string { return [...]string{"S4", "D2"}[s] }

func neonFloatFamily(o op, s precision) neonFamily {
	typ := s.String()
	return neonFamily{
		name: [...]string{"dot", "l2x"}[o] + s.bits(),
		out:  typ, q: typ, x: typ, log: 2 + int(s), size: s.size(), ahead: 4,
		prepare: func(n *neon, q, dim gp, use func(neonRow)) { use(n.floatRow(o, s, q, dim)) },
	}
}

func neonL2Pair(s precision) func(*neon) {
	return func(n *neon) { n.pair(neonFloatFamily(squared, s)) }
}

func neonDotRows(s precision) func(*neon) {
	return func(n *neon) { n.rows(neonFloatFamily(product, s)) }
}

func neonFloatAt(o op, s precision) func(*neon) {
	return func(n *neon) { n.at(neonFloatFamily(o, s)) }
}

// floatRow sums over rows of dim elements, not 0, in eight accumulators. What is
// left of 128 bytes is taken in halves, each by other accumulators. A row has the
// same sum, to the bit, in every shape of kernel.
func (n *neon) floatRow(o op, s precision, q, dim gp) neonRow {
	// How much of a row fills 128 bytes, and what is left.
	whole, left := n.gp(), n.gp()
	n.ins("LSL", imm(2+int(s)), dim, whole)
	n.ins("AND", imm(127), whole, left)
	n.ins("SUB", left, whole)

	qp, count := n.gp(), n.gp()
	more, qv, x := n.vecsOf(7), n.vecsOf(2), n.vecsOf(2)
	step := func(acc, q, x vec) {
		if o == squared {
			n.word(fsub[s], x, q, x)
			q = x
		}
		n.ins("VFMLA", x.as(s.lanes()), q.as(s.lanes()), acc.as(s.lanes()))
	}
	// pair takes 32 bytes i*16 bytes after p and qp.
	pair := func(p gp, i int, acc []vec) {
		n.ins("FLDPQ", off(qp, 16*i), vecPair(qv[0], qv[1]))
		n.ins("FLDPQ", off(p, 16*i), vecPair(x[0], x[1]))
		step(acc[i], qv[0], x[0])
		step(acc[i+1], qv[1], x[1])
	}
	add := func(a, b vec) { n.word(fadd[s], b, a, a) }

	return neonRow{
		sum: func(p gp, acc vec, line func(int)) {
			sums := append([]vec{acc}, more...)
			loop, rest, end := n.newLabel("loop"), n.newLabel("rest"), n.newLabel("end")
			n.zero(sums...)
			n.ins("MOVD", q, qp)
			n.ins("MOVD", whole, count)
			n.ins("CBZ", count, rest)
			n.label(loop)
			for i := 0; i < 8; i += 2 {
				if i%4 == 0 {
					line(16 * i)
				}
				pair(p, i, sums)
			}
			n.ins("ADD", imm(128), qp)
			n.ins("ADD", imm(128), p)
			n.ins("SUBS", imm(128), count, count)
			n.ins("BNE", loop)

			n.label(rest)
			n.ins("CBZ", left, end)
			line(0)
			for _, half := range []struct {
				bit, first int // of the number of bytes, of the accumulators
				load       string
			}{{6, 0, ""}, {5, 4, ""}, {4, 6, "FMOVQ.P"}, {3, 7, "FMOVD.P"}, {2, 7, "FMOVS.P"}} {
				bytes := 1 << half.bit
				if bytes < s.size() {
					break
				}
				skip := n.newLabel("skip")
				n.ins("TBZ", imm(half.bit), left, skip)
				if half.bit == 6 {
					line(64)
				}
				if half.load != "" {
					// What a load does not fill it sets to 0, which adds nothing.
					n.ins(half.load, off(qp, bytes), qv[0])
					n.ins(half.load, off(p, bytes), x[0])
					step(sums[half.first], qv[0], x[0])
				} else {
					for i := 0; 16*i < bytes; i += 2 {
						pair(p, i, sums[half.first:])
					}
					n.ins("ADD", imm(bytes), qp)
					n.ins("ADD", imm(bytes), p)
				}
				n.label(skip)
			}
			n.label(end)
			for h := 4; h > 0; h /= 2 {
				for i := range h {
					add(sums[i], sums[i+h])
				}
			}
		},
		reduce4: func(acc []vec, dst gp) {
			n.word(faddp[s], acc[1], acc[0], acc[0])
			n.word(faddp[s], acc[3], acc[2], acc[2])
			if s == single {
				n.word(faddp[s], acc[2], acc[0], acc[0])
				n.ins("FMOVQ.P", acc[0], off(dst, 16))
				return
			}
			n.ins("FSTPQ.P", vecPair(acc[0], acc[2]), off(dst, 32))
		},
		reduce1: func(acc vec, dst gp) {
			n.word(faddp[s], acc, acc, acc)
			if s == single {
				n.word(faddp[s], acc, acc, acc)
				n.ins("FMOVS.P", acc, off(dst, 4))
				return
			}
			n.ins("FMOVD.P", acc, off(dst, 8))
		},
	}
}
