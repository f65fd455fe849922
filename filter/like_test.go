package filter_test

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/filter"
)

// TestMatchLike compares with regular expressions, which fold case in the same way.
func TestMatchLike(t *testing.T) {
	letters := []rune("aAbBßẞſsSkKKσΣςéÉiIİı%_\\.\n日")
	rng := rand.New(rand.NewPCG(1, 2))
	text := func(most int) string {
		var b strings.Builder
		for range rng.IntN(most) {
			b.WriteRune(letters[rng.IntN(len(letters))])
		}
		return b.String()
	}
	found := 0
	for range 20_000 {
		var pattern, form strings.Builder
		for range rng.IntN(5) {
			switch rng.IntN(4) {
			case 0:
				pattern.WriteByte('%')
				form.WriteString(".*")
			case 1:
				pattern.WriteByte('_')
				form.WriteString(".")
			default:
				r := letters[rng.IntN(len(letters))]
				if strings.ContainsRune(`%_\`, r) {
					pattern.WriteByte('\\')
				}
				pattern.WriteRune(r)
				form.WriteString(regexp.QuoteMeta(string(r)))
			}
		}
		s := text(6)
		want := regexp.MustCompile("(?is)^" + form.String() + "$").MatchString(s)
		require.Equal(t, want, filter.MatchLike(pattern.String(), s), "%q like %q", s, pattern.String())
		if want {
			found++
		}
	}
	require.Greater(t, found, 1000)
	require.False(t, filter.MatchLike(strings.Repeat("%a", 50)+"b", strings.Repeat("a", 5000)), "and without going back forever")
}

func TestLikeRefusesPatterns(t *testing.T) {
	for _, pattern := range []string{`a\`, `\a`, `%\é`} {
		_, err := filter.Like("s", pattern).Check(typeOf)
		var e *codec.ValueError
		require.ErrorAs(t, err, &e, pattern)
		require.Contains(t, e.Want, "backslash")
	}
	_, err := filter.Like("s", `\%\_\\`).Check(typeOf)
	require.NoError(t, err)
	_, err = filter.Like("i", "x").Check(typeOf)
	require.ErrorContains(t, err, fmt.Sprintf("of type %s has no operation like", filter.Int))
}
