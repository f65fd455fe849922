package testenv

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

//go:embed iris/*.py
var irisStandin embed.FS

// irisRequirements are the packages that iris-pgwire imports to serve. It asks
// for more: InterSystems' driver, which the stand-in replaces; psycopg2, which
// it never imports; and OpenTelemetry exporters, which it does without and whose
// pinned versions pip cannot always reconcile. So iris-pgwire is installed
// without its dependencies, and these beside it.
var irisRequirements = []string{
	"cryptography==50.0.2",
	"pydantic==2.11.10",
	"pyyaml==6.0.3",
	"sqlparse==0.6.1",
	"structlog==26.1.0",
}

// The versions of Python that iris-pgwire runs on and that the requirements have
// built packages for.
const irisPythonFirst, irisPythonLast = 11, 13

// irisRuntime is what one version of the server runs from.
type irisRuntime struct {
	Python  string
	Path    string // PYTHONPATH: the stand-in first, so that it wins over a real driver
	Version string
}

// provisionIRIS installs the given version of iris-pgwire from PyPI into the
// cache, and unpacks the stand-in for the IRIS engine.
func provisionIRIS(ctx context.Context, version string) (*irisRuntime, error) {
	ctx, cancel := context.WithTimeout(ctx, provisionTimeout)
	defer cancel()
	python, minor, err := irisPython(ctx)
	if err != nil {
		return nil, err
	}
	// Installed with --target, which needs no venv and can be renamed when it is complete.
	packages := append([]string{"iris-pgwire==" + version}, irisRequirements...)
	name := fmt.Sprintf("iris-pgwire-%s-py3.%d-%s", version, minor, shortHash([]byte(strings.Join(packages, "\n"))))
	server, err := provisioned(ctx, name, func(ctx context.Context, dir string) error {
		install := func(args ...string) error {
			args = append([]string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--target", dir}, args...)
			_, err := command{Name: python, Args: args}.run(ctx)
			return err
		}
		// pip replaces nothing in a target: the packages do not overlap.
		return errors.Join(install("--no-deps", packages[0]), install(packages[1:]...))
	})
	if err != nil {
		return nil, err
	}
	standin, err := provisionStandin(ctx)
	if err != nil {
		return nil, err
	}
	return &irisRuntime{Python: python, Path: standin + string(os.PathListSeparator) + server, Version: version}, nil
}

// provisionStandin unpacks the Python package iris. Its directory is named after
// its content, so that a changed stand-in is a new one.
func provisionStandin(ctx context.Context) (string, error) {
	files, err := fs.Glob(irisStandin, "iris/*.py")
	if err != nil {
		return "", err
	}
	content := map[string][]byte{}
	hash := sha256.New()
	for _, name := range files {
		b, err := irisStandin.ReadFile(name)
		if err != nil {
			return "", err
		}
		content[name] = b
		fmt.Fprintf(hash, "%s %d\n%s", name, len(b), b)
	}
	return provisioned(ctx, "iris-standin-"+hex.EncodeToString(hash.Sum(nil)[:6]), func(_ context.Context, dir string) error {
		if err := os.Mkdir(filepath.Join(dir, "iris"), 0o755); err != nil {
			return err
		}
		for name, b := range content {
			if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), b, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// irisPython returns a Python that can run the server, and the minor number of
// its version.
func irisPython(ctx context.Context) (path string, minor int, err error) {
	var found []string
	for _, name := range []string{"python3", "python3.13", "python3.12", "python3.11"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		// What is on the PATH may be a shim that depends on the environment: ask for the program itself.
		out, err := command{Name: path, Args: []string{"-c", "import sys; print(sys.version_info[1], sys.executable)"}}.run(ctx)
		if err != nil {
			found = append(found, err.Error())
			continue
		}
		version, path, _ := strings.Cut(strings.TrimSpace(out), " ")
		minor, err := strconv.Atoi(version)
		if err != nil {
			return "", 0, err
		}
		if minor >= irisPythonFirst && minor <= irisPythonLast {
			return path, minor, nil
		}
		found = append(found, fmt.Sprintf("%s is 3.%d", path, minor))
	}
	if found == nil {
		return "", 0, errors.New("python3 is not on the PATH")
	}
	return "", 0, fmt.Errorf("no Python 3.%d to 3.%d: %s", irisPythonFirst, irisPythonLast, strings.Join(found, ", "))
}

func shortHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}
