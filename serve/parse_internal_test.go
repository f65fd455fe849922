package serve

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What a string must not have is found wherever it stands among what it may.
func TestStringsOfAnyLength(t *testing.T) {
	s := &shape{kind: text}
	for n := range 40 {
		for at := range n + 1 {
			before, after := strings.Repeat("é", at), strings.Repeat("z", n-at)
			v, err := parse(fmt.Appendf(nil, "%q", before+after), s)
			require.NoError(t, err)
			require.Equal(t, before+after, v)
			for _, escape := range []string{`\"`, `\\`, `\n`, `\/`} {
				var want string
				body := []byte(`"` + before + escape + after + `"`)
				require.NoError(t, json.Unmarshal(body, &want))
				v, err := parse(body, s)
				require.NoError(t, err)
				require.Equal(t, want, v)
			}
			for _, bad := range []string{"\n", "\x00", "\x1f", `" "`} {
				_, err = parse([]byte(`"`+before+bad+after+`"`), s)
				require.Error(t, err, "%q after %d", bad, at)
			}
			_, err = parse([]byte(`"`+before+after), s)
			require.ErrorContains(t, err, "want the end of the string")
		}
	}
}
