package vecwire_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestProgramWithoutServers builds a program with the tag vecwire_noservers, weighs it,
// and runs it.
func TestProgramWithoutServers(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	const most = 11 << 20 // bytes, stripped, on linux/amd64
	program := filepath.Join(t.TempDir(), "hello")
	out, err := exec.Command("go", "build", "-tags", "vecwire_noservers", "-ldflags", "-s -w", "-o", program, "./testdata/hello").CombinedOutput()
	require.NoError(t, err, "%s", out)
	info, err := os.Stat(program)
	require.NoError(t, err)
	t.Logf("%.1f MB", float64(info.Size())/1e6)
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		require.LessOrEqual(t, info.Size(), int64(most))
	}
	out, err = exec.Command(program, "mem:").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "hello\n", string(out))
	for url, kind := range map[string]string{"postgres://secret@localhost/x": "PostgreSQL", "iris://secret@localhost/x": "InterSystems IRIS"} {
		out, err = exec.Command(program, url).CombinedOutput()
		require.Error(t, err)
		require.Contains(t, string(out), "not supported: "+kind+" by a program that was built with the tag vecwire_noservers: build it without that tag")
		require.NotContains(t, string(out), "secret")
	}
	out, err = exec.Command("go", "list", "-deps", "-tags", "vecwire_noservers", ".").Output()
	require.NoError(t, err)
	for _, no := range []string{"github.com/jackc/", "github.com/vecwire/vecwire/internal/wire", "github.com/vecwire/vecwire/internal/pgvector", "github.com/vecwire/vecwire/internal/iris"} {
		require.NotContains(t, string(out), no)
	}
}
