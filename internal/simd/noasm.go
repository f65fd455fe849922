//go:build !(amd64 || arm64) || !gc || purego

package simd

// accelerated is never set here, and none of the functions below are called.
var accelerated bool

func codeL2Rows(dst *int32, q, rows *uint8, dim, n int)                                  {}
func codeL2At(dst *int32, q, rows *uint8, dim int, at *int32, n, limit int) int          { return 0 }
func codeL2RowsMany(dst *[4]*int32, q *[4]*uint8, rows *uint8, dim, n int)               {}
func codeDotRows(dst *int32, q *int8, rows *uint8, dim, n int)                           {}
func codeDotAt(dst *int32, q *int8, rows *uint8, dim int, at *int32, n, limit int) int   { return 0 }
func codeDotRowsMany(dst *[4]*int32, q *[4]*int8, rows *uint8, dim, n int)               {}
func halfL2Rows(dst *int32, q, rows *uint8, dim, n int)                                  {}
func halfDotRows(dst *int32, q *int8, rows *uint8, dim, n int)                           {}
func halfL2At(dst *int32, q, rows *uint8, dim int, at *int32, n, limit int) int          { return 0 }
func halfDotAt(dst *int32, q *int8, rows *uint8, dim int, at *int32, n, limit int) int   { return 0 }
func dot32Rows(dst, q, rows *float32, dim, n int)                                        {}
func dot32At(dst, q, rows *float32, dim int, at *int32, n, limit int) int                { return 0 }
func dot64Rows(dst, q, rows *float64, dim, n int)                                        {}
func dot64At(dst, q, rows *float64, dim int, at *int32, n, limit int) int                { return 0 }
func l2x32Pair(dst, q, row *float32, dim int)                                            {}
func l2x32At(dst, q, rows *float32, dim int, at *int32, n, limit int) int                { return 0 }
func l2x64Pair(dst, q, row *float64, dim int)                                            {}
func l2x64At(dst, q, rows *float64, dim int, at *int32, n, limit int) int                { return 0 }
func walshHadamardKernel(x *float32, n int)                                              {}
func prefetch(p *byte)                                                                   {}
func sub32(x, y *float32, n int)                                                         {}
func sub64(x, y *float64, n int)                                                         {}
func max32(x *float32, n int) float32                                                    { return 0 }
func max64(x *float64, n int) float64                                                    { return 0 }
func atMostSquare(set *uint64, keys *int32, x *float32, near, factor float32, words int) {}
func atMostLine(set *uint64, keys *int32, x *float32, near, factor float32, words int)   {}
