package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Toolchain is an installation of Go.
type Toolchain struct {
	Root    string // GOROOT
	Version string // such as go1.26.8
}

// FindToolchain finds Go where the go command says that it is, or else where
// $GOROOT says. The folder that this program was built with is no answer: the
// program may run on another machine.
func FindToolchain(ctx context.Context) (Toolchain, error) {
	t := Toolchain{Root: os.Getenv("GOROOT")}
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOVERSION").Output()
	switch {
	case err == nil:
		root, version, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
		t = Toolchain{Root: strings.TrimSpace(root), Version: strings.TrimSpace(version)}
	case ctx.Err() != nil:
		return t, ctx.Err()
	case t.Root == "":
		return t, fmt.Errorf("cannot find Go: %w; put the go command on PATH, or set GOROOT to a Go installation", err)
	default:
		version, err := os.ReadFile(filepath.Join(t.Root, "VERSION"))
		if err != nil {
			return t, fmt.Errorf("cannot find Go: %w; put the go command on PATH, or set GOROOT to a Go installation", err)
		}
		t.Version, _, _ = strings.Cut(string(version), "\n")
	}
	if _, err := os.Stat(filepath.Join(t.Root, "src", "fmt")); err != nil {
		return t, fmt.Errorf("%s in %s has no source code: %w; install Go's source too, or the archive from go.dev/dl", t.Version, t.Root, err)
	}
	return t, nil
}
