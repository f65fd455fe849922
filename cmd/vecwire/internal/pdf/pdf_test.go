package pdf

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func file(t testing.TB, name string) []byte {
	data, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return data
}

// Documents of LibreOffice and of pdfTeX, whose words are broken at the ends of lines
// and whose letters are joined.
func TestPages(t *testing.T) {
	got, err := Pages(t.Context(), file(t, "office.pdf"))
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.Empty(t, got[0])
	for _, want := range []string{"Ærøskøbing, naïve café, Größe, 東京, Ελληνικά, кириллица.", "keeps course", "first item of office affine"} {
		require.Contains(t, got[1], want)
	}
	got, err = Pages(t.Context(), file(t, "latex.pdf"))
	require.NoError(t, err)
	require.Len(t, got, 2)
	for _, want := range []string{"The efficient office affords difficult affine flows", "characteristically unpronounceable internationalization", "interdisciplinary"} {
		require.Contains(t, got[0], want)
	}
}

func TestRefused(t *testing.T) {
	_, err := Pages(t.Context(), file(t, "encrypted.pdf"))
	require.ErrorIs(t, err, ErrEncrypted)
	for name, data := range map[string][]byte{
		"empty": nil, "text": []byte("no PDF"), "beginning": []byte("%PDF-1.7\n"), "cut": file(t, "office.pdf")[:9000],
		"noise": append([]byte("%PDF-1.7\n"), bytes.Repeat([]byte{0xff, 0, '<', '['}, 5000)...),
	} {
		got, err := Pages(t.Context(), data)
		if err == nil { // a reader may find a part of it
			require.LessOrEqual(t, len(got), 2, name)
			continue
		}
		require.ErrorIs(t, err, ErrDamaged, name)
	}
	_, err = pages(t.Context(), file(t, "office.pdf"), time.Nanosecond)
	require.ErrorIs(t, err, ErrTooMuch)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Pages(gone, file(t, "office.pdf"))
	require.ErrorIs(t, err, context.Canceled)
}

// A damaged file costs an error at most.
func TestDamaged(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	whole := [][]byte{file(t, "office.pdf"), file(t, "latex.pdf"), file(t, "encrypted.pdf")}
	n := 60
	if testing.Short() {
		n = 10
	}
	for i := range n {
		data := bytes.Clone(whole[i%len(whole)])
		for range 1 + rng.IntN(200) {
			at := 9 + rng.IntN(len(data)-9)
			switch rng.IntN(3) {
			case 0:
				data[at] = byte(rng.Uint32())
			case 1:
				data[at] ^= 1 << rng.IntN(8)
			default:
				from := 9 + rng.IntN(len(data)-40)
				copy(data[at:], data[from:from+rng.IntN(30)])
			}
		}
		if _, err := Pages(t.Context(), data); err != nil {
			require.True(t, errors.Is(err, ErrDamaged) || errors.Is(err, ErrEncrypted) || errors.Is(err, ErrTooMuch), "%d: %v", i, err)
		}
	}
}
