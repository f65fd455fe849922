package folder

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPagesAreTakenApartOnce(t *testing.T) {
	parsed := 0
	k := &keptPages{parse: func(_ context.Context, data []byte) ([]string, error) {
		parsed++
		if len(data) == 0 {
			return nil, errors.New("empty")
		}
		return []string{string(data)}, nil
	}}
	large := []byte(strings.Repeat("x", mostKept))
	for range 2 {
		for _, data := range [][]byte{[]byte("a"), []byte("b"), large} {
			texts, err := k.of(t.Context(), data)
			require.NoError(t, err)
			require.Equal(t, string(data), texts[0])
		}
		_, err := k.of(t.Context(), nil)
		require.Error(t, err)
	}
	require.Equal(t, 2+2*2, parsed, "what is too large, and what fails, is read again")
}
