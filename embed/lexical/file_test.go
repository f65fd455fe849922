package lexical

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/embed"
)

func TestSaveAndLoad(t *testing.T) {
	texts := skewed(200)
	e := fit(t, texts, Options{Dim: 300, Positions: 3})
	path := filepath.Join(t.TempDir(), "words.model")
	require.NoError(t, os.WriteFile(path, []byte("what was there before"), 0o600))
	require.NoError(t, e.Save(path))

	loaded, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, e.Model(), loaded.Model())
	require.Equal(t, e.Dim(), loaded.Dim())
	for _, use := range []embed.Use{embed.Document, embed.Query} {
		want, err := e.Embed(t.Context(), texts, use)
		require.NoError(t, err)
		got, err := loaded.Embed(t.Context(), texts, use)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	require.Len(t, files, 1, "a temporary file is left")
}

// Two terms of one text may share a place: their text still counts once there at
// most, or the model would be refused.
func TestTermsThatShareAPlace(t *testing.T) {
	places := map[int]string{}
	for i := 0; ; i++ {
		word := "q" + strings.Map(func(r rune) rune { return r - '0' + 'a' }, fmt.Sprint(i)) + "z"
		p := place(hash(word))
		if other, ok := places[p]; ok {
			e := fit(t, []string{word + " " + other}, Options{})
			_, err := decode(e.encode())
			require.NoError(t, err)
			return
		}
		places[p] = word
	}
}

func TestSaveFails(t *testing.T) {
	dir := t.TempDir()
	e := fit(t, animals, Options{})
	require.ErrorIs(t, e.Save(filepath.Join(dir, "missing", "model")), os.ErrNotExist)
	require.NoError(t, os.Mkdir(filepath.Join(dir, "folder"), 0o700))
	require.Error(t, e.Save(filepath.Join(dir, "folder")))
	files, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, files, 1, "a temporary file is left")
}

func TestLoadRefuses(t *testing.T) {
	whole := fit(t, animals, Options{}).encode()
	path := filepath.Join(t.TempDir(), "model")
	load := func(data []byte) error {
		require.NoError(t, os.WriteFile(path, data, 0o600))
		_, err := Load(path)
		return err
	}
	require.NoError(t, load(whole))

	require.ErrorIs(t, load(nil), ErrDamaged)
	require.ErrorIs(t, load([]byte("another kind of file, long enough to have a whole header and a checksum, too")), ErrDamaged)
	require.ErrorIs(t, load(append(slices.Clone(whole), 0)), ErrDamaged)
	require.ErrorIs(t, load(make([]byte, maxFile+100)), ErrDamaged)
	require.ErrorIs(t, load(append(slices.Clone(whole), make([]byte, maxFile)...)), ErrDamaged)
	_, err := Load(filepath.Join(t.TempDir(), "none"))
	require.ErrorIs(t, err, os.ErrNotExist)

	newer := slices.Clone(whole)
	newer[4]++
	require.ErrorIs(t, load(newer), ErrNewer)
	require.ErrorContains(t, load(newer), "version 2")
	require.ErrorContains(t, load(newer), path)
}

func TestDecodeRefusesEveryDamage(t *testing.T) {
	whole := fit(t, animals, Options{}).encode()
	_, err := decode(whole)
	require.NoError(t, err)
	for i := range whole {
		_, err := decode(whole[:i])
		require.ErrorIs(t, err, ErrDamaged, "cut at %d", i)
		flipped := slices.Clone(whole)
		flipped[i] ^= 1 << (i % 8)
		_, err = decode(flipped)
		require.Error(t, err, "byte %d", i)
	}
}

// seal gives a model's body the checksum that it needs to be looked at.
func seal(body []byte) []byte {
	sum := sha256.Sum256(body)
	return append(slices.Clone(body), sum[:]...)
}

func TestDecodeRefusesNonsense(t *testing.T) {
	whole := fit(t, animals, Options{}).encode()
	body := whole[:len(whole)-sha256.Size]
	change := func(at int, value uint64, size int) []byte {
		b := slices.Clone(body)
		copy(b[at:at+size], binary.LittleEndian.AppendUint64(nil, value))
		return b
	}
	for name, b := range map[string][]byte{
		"version 0":        change(4, 0, 4),
		"dim 0":            change(8, 0, 4),
		"dim too large":    change(8, 1<<31, 4),
		"positions 0":      change(12, 0, 4),
		"no texts":         change(16, 0, 8),
		"no length":        change(24, 0, 8),
		"too many terms":   change(32, 1<<32-1, 4),
		"one term less":    change(32, uint64(body[32]-1), 4),
		"gap of 0":         change(headerSize, 0, 1),
		"frequency of 0":   append(slices.Clone(body[:len(body)-1]), 0),
		"frequency of 100": append(slices.Clone(body[:len(body)-1]), 100),
		"place too large":  append(binary.LittleEndian.AppendUint32(slices.Clone(body[:headerSize-4]), 1), 0xff, 0xff, 0xff, 0x7f, 1),
		"endless varint":   append(slices.Clone(body[:headerSize]), slices.Repeat([]byte{0xff}, 200)...),
	} {
		_, err := decode(seal(b))
		require.ErrorIs(t, err, ErrDamaged, name)
	}
}

func FuzzDecode(f *testing.F) {
	for _, e := range []*Embedder{fit(f, animals, Options{}), fit(f, animals[:1], Options{Dim: 16, Positions: 8})} {
		whole := e.encode()
		f.Add(whole)
		f.Add(whole[:len(whole)-sha256.Size])
	}
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, data := range [][]byte{data, seal(data)} {
			e, err := decode(data)
			if err != nil {
				require.Nil(t, e)
				continue
			}
			again, err := decode(e.encode())
			require.NoError(t, err)
			require.Equal(t, e.Model(), again.Model())
			require.Len(t, embedOne(t, e, animals[0], embed.Document), e.Dim())
		}
	})
}
