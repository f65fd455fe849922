package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A family is a kernel's element type and operation. The shapes below are the same
// for all: one pair, a scan of rows that lie one after another, and a look at
// listed ones.
type family struct {
	name string // of the operation and the type, in a function's name
	set  string // of instructions, at the name's end, where there are several
	out  string // Go's type of a sum
	q    string // of the query's elements
	x    string // of the rows'
	size int    // bytes of a sum

	// ahead is how many rows a look at listed rows prefetches ahead.
	ahead int
	// prepare puts what one call needs in registers.
	prepare func(q, dim reg.Register) row
	stride  func(dim reg.Register) // makes dim the size of a row in bytes
}

// A row sums over one row.
type row struct {
	// sum adds the row at p up in acc and moves p to the row's end. With each cache
	// line that it reads it calls line, if that is not nil, with the distance from p.
	sum func(p reg.GPVirtual, acc reg.VecVirtual, line func(disp int))
	// reduce4 stores the sums of four accumulators, reduce1 that of one, at dst.
	reduce4 func(acc []reg.VecVirtual, dst reg.Register)
	reduce1 func(acc reg.VecVirtual, dst reg.Register)
}

// scanAhead is how many bytes ahead a scan prefetches.
const scanAhead = 4096

// pair writes the kernel that sums over one row.
func (a *asm) pair(f family) {
	name := f.name + "Pair" + f.set
	args := a.begin(name, name+" sets dst to the sum of q and a row of dim elements.",
		"func(dst *"+f.out+", q *"+f.q+", row *"+f.x+", dim int)", "dst", "q", "row", "dim")
	r := f.prepare(args[1], args[3])
	acc := a.YMM()
	r.sum(args[2].(reg.GPVirtual), acc, nil)
	r.reduce1(acc, args[0])
	a.VZEROUPPER()
	a.RET()
}

// rows writes the kernel that scans n rows.
func (a *asm) rows(f family) {
	name := f.name + "Rows" + f.set
	args := a.begin(name, name+" sets dst to the sums of q and each of n rows of dim elements.",
		"func(dst *"+f.out+", q *"+f.q+", rows *"+f.x+", dim, n int)", "dst", "q", "rows", "dim", "n")
	dst, q, rows, dim, n := args[0], args[1], args[2], args[3], args[4]
	r := f.prepare(q, dim)
	p := rows.(reg.GPVirtual)
	acc := a.ymms(4)
	line := func(disp int) { a.PREFETCHT0(at(p, scanAhead+disp)) }

	four, one, done := a.label("four"), a.label("one"), a.label("done")
	a.Label(four)
	a.CMPQ(n, operand.Imm(4))
	a.JL(a.to(one))
	for i := range acc {
		r.sum(p, acc[i], line)
	}
	r.reduce4(acc, dst)
	a.ADDQ(operand.Imm(uint64(4*f.size)), dst)
	a.SUBQ(operand.Imm(4), n)
	a.JMP(a.to(four))

	a.Label(one)
	a.TESTQ(n, n)
	a.JE(a.to(done))
	r.sum(p, acc[0], line)
	r.reduce1(acc[0], dst)
	a.ADDQ(operand.Imm(uint64(f.size)), dst)
	a.DECQ(n)
	a.JMP(a.to(one))

	a.Label(done)
	a.VZEROUPPER()
	a.RET()
}

// at writes the kernel that looks at n listed rows of limit.
func (a *asm) at(f family) {
	name := f.name + "At" + f.set
	args := a.begin(name,
		name+" sets dst to the sums of q and each of the n rows that at lists, of dim elements. It stops at a number that is not below limit and returns how many it did.",
		"func(dst *"+f.out+", q *"+f.q+", rows *"+f.x+", dim int, at *int32, n, limit int) int",
		"dst", "q", "rows", "dim", "at", "n", "limit")
	dst, q, rows, dim, list, n, limit := args[0], args[1], args[2], args[3], args[4], args[5], args[6]
	r := f.prepare(q, dim)
	f.stride(dim)
	acc := a.ymms(4)
	p, ahead, next := a.GP64(), a.GP64(), a.GP64()

	// Prefetch the first rows, all of them.
	rowLoop, lineLoop, four, one, done := a.label("first"), a.label("line"), a.label("four"), a.label("one"), a.label("done")
	overlap, body := a.label("overlap"), a.label("body")
	end := a.GP64()
	a.MOVQ(operand.U32(f.ahead), ahead)
	a.CMPQ(ahead, n)
	a.CMOVQGT(n, ahead)
	a.Label(rowLoop)
	a.DECQ(ahead)
	a.JL(a.to(four))
	a.MOVLQSX(operand.Mem{Base: list, Index: ahead, Scale: 4}, next)
	a.IMULQ(dim, next)
	a.ADDQ(rows, next)
	a.LEAQ(operand.Mem{Base: next, Index: dim, Scale: 1}, end)
	a.Label(lineLoop)
	a.PREFETCHT0(at(next, 0))
	a.ADDQ(operand.Imm(64), next)
	a.CMPQ(next, end)
	a.JB(a.to(lineLoop))
	a.JMP(a.to(rowLoop))

	a.Label(four)
	a.CMPQ(n, operand.Imm(4))
	a.JL(a.to(overlap))
	a.Label(body)
	for i := range acc {
		a.MOVLQSX(at(list, 4*i), p)
		a.CMPQ(p, limit)
		a.JAE(a.to(one))
	}
	// Prefetch as many rows ahead as the list has.
	a.LEAQ(at(n, -4), ahead)
	a.MOVQ(operand.U32(f.ahead), next)
	a.CMPQ(ahead, next)
	a.CMOVQGT(next, ahead)
	a.LEAQ(operand.Mem{Base: list, Index: ahead, Scale: 4}, ahead)
	for i := range acc {
		a.MOVLQSX(at(list, 4*i), p)
		a.IMULQ(dim, p)
		a.ADDQ(rows, p)
		a.MOVLQSX(at(ahead, 4*i), next)
		a.IMULQ(dim, next)
		a.ADDQ(rows, next)
		r.sum(p, acc[i], func(int) {
			a.PREFETCHT0(at(next, 0))
			a.ADDQ(operand.Imm(64), next)
		})
	}
	r.reduce4(acc, dst)
	a.ADDQ(operand.Imm(uint64(4*f.size)), dst)
	a.ADDQ(operand.Imm(16), list)
	a.SUBQ(operand.Imm(4), n)
	a.JMP(a.to(four))

	// One to three are left: do the last four, some of them again.
	a.Label(overlap)
	a.TESTQ(n, n)
	a.JE(a.to(done))
	total := a.Load(a.Param("n"), a.GP64())
	a.CMPQ(total, operand.Imm(4))
	a.JL(a.to(one))
	a.SUBQ(operand.Imm(4), n)
	a.LEAQ(operand.Mem{Base: list, Index: n, Scale: 4}, list)
	a.LEAQ(operand.Mem{Base: dst, Index: n, Scale: uint8(f.size)}, dst)
	a.MOVQ(operand.U32(4), n)
	a.JMP(a.to(body))

	a.Label(one)
	a.TESTQ(n, n)
	a.JE(a.to(done))
	a.MOVLQSX(at(list, 0), p)
	a.CMPQ(p, limit)
	a.JAE(a.to(done))
	a.IMULQ(dim, p)
	a.ADDQ(rows, p)
	r.sum(p, acc[0], nil)
	r.reduce1(acc[0], dst)
	a.ADDQ(operand.Imm(uint64(f.size)), dst)
	a.ADDQ(operand.Imm(4), list)
	a.DECQ(n)
	a.JMP(a.to(one))

	a.Label(done)
	a.VZEROUPPER()
	did := a.Load(a.Param("n"), a.GP64())
	a.SUBQ(n, did)
	a.Store(did, a.ReturnIndex(0))
	a.RET()
}
