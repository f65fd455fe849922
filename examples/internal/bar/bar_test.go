package bar

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

func TestOnATerminal(t *testing.T) {
	var b bytes.Buffer
	bar := Bar{w: &b, terminal: true}
	bar.Show("reading", 1, 3)
	bar.Show("reading", 3, 3)
	bar.Ingest(vecwire.Progress{Done: 50, Failed: 2, Total: 100, Rate: 10, ETA: 5 * time.Second})
	bar.End()
	lines := strings.Split(b.String(), "\r\x1b[K")
	require.Len(t, lines, 5)
	require.Equal(t, "reading           ██████████░░░░░░░░░░░░░░░░░░░░ 1/3", lines[1])
	require.Equal(t, "reading           ██████████████████████████████ 3/3", lines[2])
	require.Equal(t, "ingesting         ███████████████░░░░░░░░░░░░░░░ 50/100 10/s, 5s left, 2 failed", lines[3])
}

func TestElsewhere(t *testing.T) {
	var b bytes.Buffer
	bar := New(&b)
	for done := range 4 {
		bar.Show("reading", done, 3)
	}
	bar.End()
	require.Equal(t, "reading: 0 of 3\nreading: 3 of 3\n", b.String())
}
