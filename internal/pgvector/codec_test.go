package pgvector

import (
	"fmt"
	"math"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
	"github.com/stretchr/testify/require"
)

func FuzzParseDoubles(f *testing.F) {
	f.Add(int16(0), []byte("{1,2.5,-3e300}"))
	f.Add(int16(1), appendDoubles(appendArrayHeader(nil, pgtype.Float8OID, 2), []float64{1, math.Pi}))
	f.Add(int16(1), appendArrayHeader(nil, pgtype.Float8OID, 0))
	f.Add(int16(0), []byte("{}"))
	f.Fuzz(func(t *testing.T, format int16, b []byte) {
		v, err := parseDoubles(nil, format&1, b)
		if err != nil {
			return
		}
		again, err := parseDoubles(nil, pgtype.BinaryFormatCode, appendDoubles(append([]byte{0, 0, 0, 1}, appendArrayHeader(nil, pgtype.Float8OID, max(1, len(v)))[4:]...), v))
		if len(v) > 0 {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprint(v), fmt.Sprint(again))
		}
	})
}
