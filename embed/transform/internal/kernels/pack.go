package kernels

import "math"

// Pack makes a matrix of rows of float32: each element becomes the nearest of 255
// multiples of its row's scale, which is that of the row's largest. Rows and
// columns are multiples of [Panel].
func Pack(rows []float32, columns int, bias []float32) *Matrix {
	m := &Matrix{Columns: columns, Weights: make([]int8, len(rows)), Scales: make([]float32, len(bias)), Bias: bias}
	row := make([]int8, columns)
	for i := range bias {
		m.Scales[i] = QuantizeRow(row, rows[i*columns:(i+1)*columns])
		panel := m.Weights[i/Panel*Panel*columns:]
		for c := 0; c < columns; c += group {
			copy(panel[c*Panel+i%Panel*group:], row[c:c+group])
		}
	}
	return m
}

// QuantizeRow sets dst to the integers nearest to x divided by the scale that it
// returns: the one by which the largest of x becomes 127.
func QuantizeRow(dst []int8, x []float32) (scale float32) {
	var most float32
	for _, v := range x {
		most = max(most, float32(math.Abs(float64(v))))
	}
	if most == 0 {
		clear(dst)
		return 0
	}
	for i, v := range x {
		dst[i] = int8(math.RoundToEven(float64(v) * 127 / float64(most)))
	}
	return most / 127
}
