package testenv

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// rootModule is the module whose folder [DataDir] looks beside.
const rootModule = "github.com/vecwire/vecwire"

// DataDir returns the folder of the public data sets that some tests measure
// with: VECWIRE_TEST_DATA, or else ../shared/data beside the folder of the root
// module. It is "" where neither is there. The repository holds no data set.
func DataDir() (string, error) {
	if dir := os.Getenv("VECWIRE_TEST_DATA"); dir != "" {
		if !isDir(dir) {
			return "", errors.New("VECWIRE_TEST_DATA is no folder")
		}
		return filepath.Abs(dir)
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	if dir := filepath.Join(root, "..", "shared", "data"); isDir(dir) {
		return dir, nil
	}
	return "", nil
}

// Data returns the path of a file or folder below [DataDir], which is named with
// slashes, and skips the test where the data set is absent. It fails the test
// where VECWIRE_TEST_DATA names a folder without it.
func Data(t testing.TB, name string) string {
	t.Helper()
	dir, err := DataDir()
	if err != nil {
		t.Fatal(err)
	}
	const remedy = "set VECWIRE_TEST_DATA to a folder that holds it"
	if dir == "" {
		t.Skipf("the data set %s is not here: %s", name, remedy)
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) && os.Getenv("VECWIRE_TEST_DATA") == "" {
		t.Skipf("the data set %s is not here: %s", name, remedy)
	} else if err != nil {
		t.Fatal(err)
	}
	return path
}

// moduleRoot returns the folder of the root module, at or above the working
// directory, also where that is in one of the modules nested in it.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if modulePath(filepath.Join(dir, "go.mod")) == rootModule {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("the working directory is outside of module " + rootModule)
		}
		dir = up
	}
}

// modulePath returns the path that a go.mod declares, or "".
func modulePath(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if path, ok := strings.CutPrefix(lines.Text(), "module "); ok {
			return strings.TrimSpace(path)
		}
	}
	return ""
}
