package main

import "github.com/mmcloughlin/avo/operand"

// tile is the part of a matrix product that fits in registers.
func tile(a *asm) {
	args := a.begin("tile"+a.form(),
		"tile"+a.form()+" sets 4 rows of 16 elements of dst to the product of 4 rows of n elements of x and n rows of 16 elements of y. Rows are so many bytes apart as the strides say. n is not 0.",
		"func(dst *float32, dstStride int, x *float32, xStride int, y *float32, yStride, n int)",
		"dst", "dstStride", "x", "xStride", "y", "yStride", "n")
	dst, dstStride, x, xStride, y, yStride, n := args[0], args[1], args[2], args[3], args[4], args[5], args[6]
	in, out := rowsAt{x, a.GP64(), xStride}, rowsAt{dst, a.GP64(), dstStride}
	a.fourth(in, 4)
	a.fourth(out, 4)
	parts := 16 / a.lanes()
	sum, right, b := a.vecs(4*parts), a.vecs(parts), a.vec()
	a.zero(sum...)
	loop := a.label("loop")
	a.Label(loop)
	for p, r := range right {
		a.VMOVUPS(at(y, 32*p), r)
	}
	for i := range 4 {
		a.VBROADCASTSS(in.at(i), b)
		for p, r := range right {
			a.VFMADD231PS(r, b, sum[parts*i+p])
		}
	}
	a.ADDQ(yStride, y)
	a.ADDQ(operand.Imm(4), in.first)
	a.ADDQ(operand.Imm(4), in.fourth)
	a.DECQ(n)
	a.JNE(to(loop))
	for i := range 4 {
		row := out.at(i)
		for p := range right {
			row.Disp = 32 * p
			a.VMOVUPS(sum[parts*i+p], row)
		}
	}
	a.end()
}
