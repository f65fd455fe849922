package local

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestHolderIsRead: what a process says of itself while it writes is read as it is, also
// behind something longer.
func TestHolderIsRead(t *testing.T) {
	l, err := openLockFile(filepath.Join(t.TempDir(), "docs.db"))
	require.NoError(t, err)
	defer func() { require.NoError(t, l.close()) }()
	require.Zero(t, l.holder(), "nobody has written yet")
	_, err = l.file.WriteAt(make([]byte, 500), writingAt)
	require.NoError(t, err)
	before := time.Now()
	for range 2 {
		l.sayHolder()
	}
	h := l.holder()
	host, _ := os.Hostname()
	require.Equal(t, os.Getpid(), h.PID)
	require.Equal(t, filepath.Base(os.Args[0]), h.Program)
	require.Equal(t, host, h.Host)
	require.WithinRange(t, h.Since, before.Round(0), time.Now())
	l.say(writingAt, no)
	require.Zero(t, l.holder())
}
