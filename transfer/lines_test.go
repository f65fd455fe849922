package transfer_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// refusing reads one string after the other, and refuses the line that it is in between
// them.
type refusing struct{ parts []string }

var errRefused = errors.New("too dear")

func (r *refusing) Read(b []byte) (int, error) {
	if len(r.parts) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.parts[0])
	if r.parts[0] = r.parts[0][n:]; r.parts[0] == "" {
		if r.parts = r.parts[1:]; len(r.parts) > 0 {
			return n, &vecwire.RecordError{Err: errRefused}
		}
	}
	return n, nil
}

func TestReaderRefusesLines(t *testing.T) {
	var got []string
	for r, err := range transfer.ReadJSONL(&refusing{[]string{"{\"id\":\"a\"}\n{\"id\":\"b\", \"te", "{\"id\":\"c\"}\n", "", "{\"id\":\"d\"}"}}, vecwire.Schema{Name: "docs", Dim: 2}) {
		if err == nil {
			got = append(got, r.ID)
			continue
		}
		var refused *vecwire.RecordError
		require.ErrorAs(t, err, &refused)
		require.Equal(t, len(got), refused.Index)
		require.ErrorIs(t, err, errRefused)
		got = append(got, "refused")
	}
	require.Equal(t, strings.Fields("a refused c refused refused d"), got)
}
