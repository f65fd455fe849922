package main

import "fmt"

func neonCodeFamily(o op) neonFamily {
	q := "uint8"
	if o == product {
		q = "int8"
	}
	return neonFamily{
		name: "code" + o.name(), out: "int32", q: q, x: "uint8", size: 4, ahead: 8,
		prepare: func(n *neon, q, dim gp, use func(neonRow)) {
			qp, count, second := n.gp(), n.gp(), n.vecsOf(1)[0]
			qv, x := n.vecsOf(4), n.vecsOf(4)
			n.codeSteps(o, func(step codeStep) {
				use(n.codeRow(step, q, dim, qp, count, second, qv, x))
			})
		},
	}
}

func neonCodeRows(o op) func(*neon) { return func(n *neon) { n.rows(neonCodeFamily(o)) } }
func neonCodeAt(o op) func(*neon)   { return func(n *neon) { n.at(neonCodeFamily(o)) } }

// A codeStep adds up 32 bytes of q and x, two registers each, in acc.
type codeStep func(acc vec, q, x []vec)

// codeSteps calls use for each way to do a step: with the dot-product extension,
// where the CPU has it, and without.
func (n *neon) codeSteps(o op, use func(codeStep)) {
	d, t, has := n.vecsOf(2), n.vecsOf(2), n.gp()
	plain := n.newLabel("plain")
	differences := func(q, x []vec) {
		for i := range d {
			n.word(uabd, q[i], x[i], d[i])
		}
	}
	n.ins("MOVBU", "·dotProduct(SB)", has)
	n.ins("CBZ", has, plain)
	use(func(acc vec, q, x []vec) {
		if o == product {
			for i := range x {
				n.word(sdot, q[i], x[i], acc)
			}
			return
		}
		differences(q, x)
		for _, r := range d {
			n.word(udot, r, r, acc)
		}
	})
	n.label(plain)
	use(func(acc vec, q, x []vec) {
		if o == product {
			// Two products fit in 16 bits: 2*127*-128.
			for i := range x {
				n.word(smull, q[i], x[i], t[i])
				n.word(smlal2, q[i], x[i], t[i])
				n.word(sadalp, t[i], acc)
			}
			return
		}
		// Four squares fit in 16 bits without a sign: 4*127*127.
		differences(q, x)
		n.word(umull, d[0], d[0], t[0])
		n.word(umlal2, d[0], d[0], t[0])
		n.word(umlal, d[1], d[1], t[0])
		n.word(umlal2, d[1], d[1], t[0])
		n.word(uadalp, t[0], acc)
	})
}

// codeRow sums over rows of dim bytes, a multiple of 32 and not 0.
func (n *neon) codeRow(step codeStep, q, dim, qp, count gp, second vec, qv, x []vec) neonRow {
	r := n.codeSums()
	r.sum = func(p gp, acc vec, line func(int)) {
		loop, last, end := n.newLabel("loop"), n.newLabel("last"), n.newLabel("end")
		n.zero(acc, second)
		n.ins("MOVD", q, qp)
		n.ins("SUBS", imm(64), dim, count)
		n.ins("BLT", last)
		n.label(loop)
		line(0)
		for i := 0; i < 4; i += 2 {
			n.ins("FLDPQ", off(qp, 16*i), vecPair(qv[i], qv[i+1]))
			n.ins("FLDPQ", off(p, 16*i), vecPair(x[i], x[i+1]))
		}
		n.ins("ADD", imm(64), qp)
		n.ins("ADD", imm(64), p)
		step(acc, qv[:2], x[:2])
		step(second, qv[2:], x[2:])
		n.ins("SUBS", imm(64), count, count)
		n.ins("BGE", loop)
		n.label(last)
		n.ins("CMN", imm(32), count)
		n.ins("BNE", end)
		line(0)
		n.ins("FLDPQ", off(qp, 0), vecPair(qv[0], qv[1]))
		n.ins("FLDPQ.P", off(p, 32), vecPair(x[0], x[1]))
		step(acc, qv[:2], x[:2])
		n.label(end)
		n.ins("VADD", second.as("S4"), acc.as("S4"), acc.as("S4"))
	}
	return r
}

// codeSums returns a row that has all but sum, which is to leave four int32 in acc.
func (n *neon) codeSums() neonRow {
	return neonRow{
		reduce4: func(acc []vec, dst gp) {
			n.ins("FMOVQ.P", n.codeReduce4(acc), off(dst, 16))
		},
		reduce1: func(acc vec, dst gp) {
			n.ins("VADDV", acc.as("S4"), fmt.Sprintf("V%d", int(acc)))
			n.ins("FMOVS.P", acc, off(dst, 4))
		},
	}
}

// codeReduce4 returns the sums of four registers of int32.
func (n *neon) codeReduce4(acc []vec) vec {
	for _, pair := range [][2]int{{0, 1}, {2, 3}, {0, 2}} {
		a, b := acc[pair[0]].as("S4"), acc[pair[1]].as("S4")
		n.ins("VADDP", b, a, a)
	}
	return acc[0]
}

// neonCodeRowsMany is four queries at once: each 32 bytes of two rows are loaded
// once and meet all of them.
func neonCodeRowsMany(o op) func(*neon) {
	return func(n *neon) {
		f := neonCodeFamily(o)
		name := f.name + "RowsMany"
		args := n.begin(name, name+" sets each dst to the sums of its q and each of n rows of dim elements. n is a multiple of 2.", "",
			param{"dst", "*[4]*int32"}, param{"q", "*[4]*" + f.q}, param{"rows", "*uint8"}, param{"dim", "int"}, param{"n", "int"})
		dim, left := args[3], args[4]
		rows := []gp{args[2], n.gp()}
		q, dst, count := n.gpsOf(4), n.gpsOf(4), n.gp()
		for i := range q {
			n.ins("MOVD", off(args[1], 8*i), q[i])
		}
		for i := range dst {
			n.ins("MOVD", off(args[0], 8*i), dst[i])
		}
		acc, x, qv := n.vecsOf(8), n.vecsOf(4), n.vecsOf(2)
		n.codeSteps(o, func(step codeStep) {
			next, loop, done := n.newLabel("next"), n.newLabel("loop"), n.newLabel("done")
			n.label(next)
			n.ins("SUBS", imm(2), left, left)
			n.ins("BLT", done)
			n.zero(acc...)
			n.ins("ADD", dim, rows[0], rows[1])
			n.ins("MOVD", dim, count)
			n.label(loop)
			n.ins("PRFM", off(rows[1], scanAhead), "PLDL1KEEP")
			for j := range rows {
				n.ins("FLDPQ.P", off(rows[j], 32), vecPair(x[2*j], x[2*j+1]))
			}
			for i := range q {
				n.ins("FLDPQ.P", off(q[i], 32), vecPair(qv[0], qv[1]))
				for j := range rows {
					step(acc[2*i+j], qv, x[2*j:2*j+2])
				}
			}
			n.ins("SUBS", imm(32), count, count)
			n.ins("BNE", loop)
			n.ins("MOVD", rows[1], rows[0])
			for i := range q {
				n.ins("SUB", dim, q[i])
			}
			for i := 0; i < len(dst); i += 2 {
				s := n.codeReduce4(acc[2*i : 2*i+4])
				n.ins("VST1.P", s.as("D[0]"), off(dst[i], 8))
				n.ins("VST1.P", s.as("D[1]"), off(dst[i+1], 8))
			}
			n.ins("B", next)
			n.label(done)
			n.ins("RET")
		})
	}
}
