package transfer

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pieces are what lines are put together of, whole and broken.
var pieces = []string{
	`"`, `\"`, `\\`, `\`, `{`, `}`, `[`, `]`, `,`, `:`, ` `, "\n", `"id":"1"`, `"vector":`, `null`, `1`, `-`, `01`, `1.`, `1e`, `.5`, `é`, "\x00",
	strings.Repeat("A", 70), `"` + strings.Repeat("aB3/", 40) + `="`, "[" + strings.Repeat("-1.5e-3, ", 40) + "2]", strings.Repeat("7", 80),
	"[" + strings.Repeat("1,", 70) + "01]", "[" + strings.Repeat("1,", 70) + "]", "[" + strings.Repeat("1,", 70) + "1", `["` + strings.Repeat("1,", 70) + `"]`,
	`{"id":"1","vector":[` + strings.Repeat("0.25,", 60) + "1]}", `{"id":"1","vector":"` + strings.Repeat("AAAA", 60) + `"}`,
}

// An outline is JSON if the line is, and only then.
func TestValidJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	valid := 0
	for range 100_000 {
		var line strings.Builder
		for range 1 + rng.IntN(5) {
			line.WriteString(pieces[rng.IntN(len(pieces))])
		}
		for _, s := range []string{line.String(), `{"a":` + line.String() + `}`, `["` + line.String() + `"]`} {
			want := json.Valid([]byte(s))
			require.Equal(t, want, json.Valid(appendOutline(nil, []byte(s), nil)), "%q", s)
			require.Equal(t, want, validJSON([]byte(s), nil), "%q", s)
			if want && len(s) >= 4*longRun {
				valid++
			}
		}
	}
	require.Greater(t, valid, 1000)
}

func FuzzValidJSON(f *testing.F) {
	for _, p := range pieces {
		f.Add([]byte(p))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		require.Equal(t, json.Valid(b), json.Valid(appendOutline(nil, b, nil)), "%q", b)
	})
}
