package main

// The shapes of rows.go for arm64, the same for all families: one pair, a scan of
// rows that lie one after another, and a look at listed ones.

// A neonFamily is a kernel's element type and operation.
type neonFamily struct {
	name string // of the operation and the type, in a function's name
	out  string // Go's type of a sum
	q    string // of the query's elements
	x    string // of the rows'
	log  int    // the bytes of a row's element are 1<<log
	size int    // bytes of a sum

	// ahead is how many rows a look at listed rows prefetches ahead.
	ahead int
	// prepare puts what one call needs in registers and hands use how to sum over a
	// row: twice if there are two ways, of which the CPU decides.
	prepare func(n *neon, q, dim gp, use func(neonRow))
}

// A neonRow sums over one row.
type neonRow struct {
	// sum adds the row at p up in acc and moves p to the row's end. With each cache
	// line that it reads it calls line with the distance from p.
	sum func(p gp, acc vec, line func(disp int))
	// reduce4 stores the sums of four accumulators, reduce1 that of one, at dst, and
	// moves dst on.
	reduce4 func(acc []vec, dst gp)
	reduce1 func(acc vec, dst gp)
}

func (f neonFamily) params(more ...param) []param {
	return append([]param{{"dst", "*" + f.out}, {"q", "*" + f.q}, {"rows", "*" + f.x}, {"dim", "int"}}, more...)
}

// pair writes the kernel that sums over one row.
func (n *neon) pair(f neonFamily) {
	name := f.name + "Pair"
	args := n.begin(name, name+" sets dst to the sum of q and a row of dim elements.", "",
		param{"dst", "*" + f.out}, param{"q", "*" + f.q}, param{"row", "*" + f.x}, param{"dim", "int"})
	acc := n.vecsOf(1)[0]
	f.prepare(n, args[1], args[3], func(r neonRow) {
		r.sum(args[2], acc, func(int) {})
		r.reduce1(acc, args[0])
		n.ins("RET")
	})
}

// rows writes the kernel that scans n rows.
func (n *neon) rows(f neonFamily) {
	name := f.name + "Rows"
	args := n.begin(name, name+" sets dst to the sums of q and each of n rows of dim elements.", "",
		f.params(param{"n", "int"})...)
	dst, q, p, dim, left := args[0], args[1], args[2], args[3], args[4]
	acc := n.vecsOf(4)
	line := func(disp int) { n.ins("PRFM", off(p, scanAhead+disp), "PLDL1KEEP") }
	f.prepare(n, q, dim, func(r neonRow) {
		four, one, done := n.newLabel("four"), n.newLabel("one"), n.newLabel("done")
		n.label(four)
		n.ins("CMP", imm(4), left)
		n.ins("BLT", one)
		for _, a := range acc {
			r.sum(p, a, line)
		}
		r.reduce4(acc, dst)
		n.ins("SUB", imm(4), left)
		n.ins("B", four)

		n.label(one)
		n.ins("CBZ", left, done)
		r.sum(p, acc[0], line)
		r.reduce1(acc[0], dst)
		n.ins("SUB", imm(1), left)
		n.ins("B", one)

		n.label(done)
		n.ins("RET")
	})
}

// at writes the kernel that looks at n listed rows of limit.
func (n *neon) at(f neonFamily) {
	name := f.name + "At"
	args := n.begin(name,
		name+" sets dst to the sums of q and each of the n rows that at lists, of dim elements. It stops at a number that is not below limit and returns how many it did.",
		"int", f.params(param{"at", "*int32"}, param{"n", "int"}, param{"limit", "int"})...)
	dst, q, rows, dim, list, left, limit := args[0], args[1], args[2], args[3], args[4], args[5], args[6]
	stride, total := n.gp(), n.gp()
	n.ins("LSL", imm(f.log), dim, stride)
	n.ins("MOVD", left, total)
	p, ahead, next, end := n.gp(), n.gp(), n.gp(), n.gp()
	acc := n.vecsOf(4)

	// number loads the row number at list[i], address turns one into an address.
	number := func(list gp, i int, r gp) { n.ins("MOVW", off(list, 4*i), r) }
	address := func(r gp) { n.ins("MADD", stride, rows, r, r) }
	// atMost sets r to the limit if it is larger.
	atMost := func(limit, r gp) {
		n.ins("CMP", limit, r)
		n.ins("CSEL", "GT", limit, r, r)
	}

	// Prefetch the first rows, all of them.
	rowLoop, lineLoop, start := n.newLabel("first"), n.newLabel("line"), n.newLabel("start")
	n.ins("MOVD", imm(f.ahead), ahead)
	atMost(left, ahead)
	n.label(rowLoop)
	n.ins("SUBS", imm(1), ahead, ahead)
	n.ins("BLT", start)
	n.ins("MOVW", "("+list.String()+")("+ahead.String()+"<<2)", next)
	address(next)
	n.ins("ADD", stride, next, end)
	n.label(lineLoop)
	n.ins("PRFM", off(next, 0), "PLDL1KEEP")
	n.ins("ADD", imm(64), next)
	n.ins("CMP", end, next)
	n.ins("BLO", lineLoop)
	n.ins("B", rowLoop)

	n.label(start)
	f.prepare(n, q, dim, func(r neonRow) {
		four, body, overlap, one, done := n.newLabel("four"), n.newLabel("body"), n.newLabel("overlap"), n.newLabel("one"), n.newLabel("done")
		n.label(four)
		n.ins("CMP", imm(4), left)
		n.ins("BLT", overlap)
		n.label(body)
		for i := range acc {
			number(list, i, p)
			n.ins("CMP", limit, p)
			n.ins("BHS", one)
		}
		// Prefetch as many rows ahead as the list has.
		n.ins("MOVD", imm(f.ahead), ahead)
		n.ins("SUB", imm(4), left, next)
		atMost(next, ahead)
		n.ins("ADD", ahead.String()+"<<2", list, ahead)
		for i, a := range acc {
			number(list, i, p)
			address(p)
			number(ahead, i, next)
			address(next)
			r.sum(p, a, func(int) {
				n.ins("PRFM", off(next, 0), "PLDL1KEEP")
				n.ins("ADD", imm(64), next)
			})
		}
		r.reduce4(acc, dst)
		n.ins("ADD", imm(16), list)
		n.ins("SUB", imm(4), left)
		n.ins("B", four)

		// One to three are left: do the last four, some of them again.
		n.label(overlap)
		n.ins("CBZ", left, done)
		n.ins("CMP", imm(4), total)
		n.ins("BLT", one)
		n.ins("SUB", imm(4), left)
		n.ins("ADD", left.String()+"<<2", list)
		n.ins("ADD", left.String()+"<<"+map[int]string{4: "2", 8: "3"}[f.size], dst)
		n.ins("MOVD", imm(4), left)
		n.ins("B", body)

		n.label(one)
		n.ins("CBZ", left, done)
		number(list, 0, p)
		n.ins("CMP", limit, p)
		n.ins("BHS", done)
		address(p)
		r.sum(p, acc[0], func(int) {})
		r.reduce1(acc[0], dst)
		n.ins("ADD", imm(4), list)
		n.ins("SUB", imm(1), left)
		n.ins("B", one)

		n.label(done)
		n.ins("SUB", left, total)
		n.ins("MOVD", total, argument("ret", 56))
		n.ins("RET")
	})
}
