//go:build gc && !purego

package simd

import "golang.org/x/sys/cpu"

// vnni reports whether the CPU adds up products of bytes in one instruction.
var vnni = accelerated && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VNNI

func codeL2Rows(dst *int32, q, rows *uint8, dim, n int) {
	if vnni {
		codeL2RowsVNNI(dst, q, rows, dim, n)
		return
	}
	codeL2RowsAVX2(dst, q, rows, dim, n)
}

func codeL2At(dst *int32, q, rows *uint8, dim int, at *int32, n, limit int) int {
	if vnni {
		return codeL2AtVNNI(dst, q, rows, dim, at, n, limit)
	}
	return codeL2AtAVX2(dst, q, rows, dim, at, n, limit)
}

func codeL2RowsMany(dst *[4]*int32, q *[4]*uint8, rows *uint8, dim, n int) {
	if vnni {
		codeL2RowsManyVNNI(dst, q, rows, dim, n)
		return
	}
	codeL2RowsManyAVX2(dst, q, rows, dim, n)
}

func codeDotRows(dst *int32, q *int8, rows *uint8, dim, n int) {
	if vnni {
		codeDotRowsVNNI(dst, q, rows, dim, n)
		return
	}
	codeDotRowsAVX2(dst, q, rows, dim, n)
}

func codeDotAt(dst *int32, q *int8, rows *uint8, dim int, at *int32, n, limit int) int {
	if vnni {
		return codeDotAtVNNI(dst, q, rows, dim, at, n, limit)
	}
	return codeDotAtAVX2(dst, q, rows, dim, at, n, limit)
}

func codeDotRowsMany(dst *[4]*int32, q *[4]*int8, rows *uint8, dim, n int) {
	if vnni {
		codeDotRowsManyVNNI(dst, q, rows, dim, n)
		return
	}
	codeDotRowsManyAVX2(dst, q, rows, dim, n)
}

func halfL2Rows(dst *int32, q *uint8, rows *uint8, dim, n int) {
	if vnni {
		halfL2RowsVNNI(dst, q, rows, dim, n)
		return
	}
	halfL2RowsAVX2(dst, q, rows, dim, n)
}

func halfDotRows(dst *int32, q *int8, rows *uint8, dim, n int) {
	if vnni {
		halfDotRowsVNNI(dst, q, rows, dim, n)
		return
	}
	halfDotRowsAVX2(dst, q, rows, dim, n)
}

func halfL2At(dst *int32, q, rows *uint8, dim int, at *int32, n, limit int) int {
	if vnni {
		return halfL2AtVNNI(dst, q, rows, dim, at, n, limit)
	}
	return halfL2AtAVX2(dst, q, rows, dim, at, n, limit)
}

func halfDotAt(dst *int32, q *int8, rows *uint8, dim int, at *int32, n, limit int) int {
	if vnni {
		return halfDotAtVNNI(dst, q, rows, dim, at, n, limit)
	}
	return halfDotAtAVX2(dst, q, rows, dim, at, n, limit)
}
