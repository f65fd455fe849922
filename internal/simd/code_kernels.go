package simd

import "unsafe"

// The kernels for Q. Which of the two it is is known when they are compiled.

func signed[Q codeElement]() bool { return ^Q(0) < 1 }

func codeRowsKernel[Q codeElement](dst *int32, q *Q, rows *uint8, dim, n int) {
	if signed[Q]() {
		codeDotRows(dst, (*int8)(unsafe.Pointer(q)), rows, dim, n)
	} else {
		codeL2Rows(dst, (*uint8)(unsafe.Pointer(q)), rows, dim, n)
	}
}

func codeAtKernel[Q codeElement](dst *int32, q *Q, rows *uint8, dim int, at *int32, n, limit int) int {
	if signed[Q]() {
		return codeDotAt(dst, (*int8)(unsafe.Pointer(q)), rows, dim, at, n, limit)
	}
	return codeL2At(dst, (*uint8)(unsafe.Pointer(q)), rows, dim, at, n, limit)
}

func codeRowsManyKernel[Q codeElement](dst *[4]*int32, q *[4]*Q, rows *uint8, dim, n int) {
	if signed[Q]() {
		codeDotRowsMany(dst, (*[4]*int8)(unsafe.Pointer(q)), rows, dim, n)
	} else {
		codeL2RowsMany(dst, (*[4]*uint8)(unsafe.Pointer(q)), rows, dim, n)
	}
}

func halfRowsKernel[Q codeElement](dst *int32, q *Q, rows *uint8, dim, n int) {
	if signed[Q]() {
		halfDotRows(dst, (*int8)(unsafe.Pointer(q)), rows, dim, n)
	} else {
		halfL2Rows(dst, (*uint8)(unsafe.Pointer(q)), rows, dim, n)
	}
}

func halfAtKernel[Q codeElement](dst *int32, q *Q, rows *uint8, dim int, at *int32, n, limit int) int {
	if signed[Q]() {
		return halfDotAt(dst, (*int8)(unsafe.Pointer(q)), rows, dim, at, n, limit)
	}
	return halfL2At(dst, (*uint8)(unsafe.Pointer(q)), rows, dim, at, n, limit)
}
