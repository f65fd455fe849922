// Package pypeers runs the engines that are written in C++ and have a package on
// PyPI: hnswlib, FAISS, usearch, DuckDB, those of RaBitQ and Intel's SVS, each in a
// Python process that speaks the protocol of package contest. The packages live in a
// virtual environment of their own; nothing is installed on the machine.
package pypeers

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vecwire/vecwire/bench/contest"
)

var (
	//go:embed peers.py
	script string
	//go:embed requirements.txt
	requirements string
)

// environment returns the directory of the virtual environment. Other
// requirements are another one.
func environment(cache string) string {
	sum := sha256.Sum256([]byte(requirements))
	return filepath.Join(cache, "python-"+hex.EncodeToString(sum[:4]))
}

func python(dir string) string { return filepath.Join(dir, "bin", "python") }

// Setup makes the virtual environment unless it is there. hnswlib has no built
// package: it is compiled by the C++ compiler of the machine, with -O3
// -march=native, which takes a minute. A package that cannot be had is left out,
// with the reason on standard error.
func Setup(ctx context.Context, cache string) error {
	dir := environment(cache)
	if _, err := os.Stat(filepath.Join(dir, "complete")); err == nil {
		return nil
	}
	run := func(name string, args ...string) error {
		cmd := exec.CommandContext(ctx, name, args...)
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w", cmd, err)
		}
		return nil
	}
	if err := run("python3", "-m", "venv", "--clear", dir); err != nil {
		return err
	}
	var errs []error
	for requirement := range strings.FieldsSeq(requirements) {
		args := []string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check"}
		if strings.HasPrefix(requirement, "hnswlib=") {
			args = append(args, "--no-binary", "hnswlib")
		}
		errs = append(errs, run(python(dir), append(args, requirement)...))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "complete"), nil, 0o644)
}

// Start starts one of the engines. A *contest.SkipError says that there is no
// environment to run it in.
func Start(ctx context.Context, cache string, env []string, engine string) (*contest.Process, error) {
	dir := environment(cache)
	if _, err := os.Stat(python(dir)); err != nil {
		return nil, &contest.SkipError{Reason: "there is no Python environment for it: `go run . -setup` makes one"}
	}
	env = append(env, "OMP_NUM_THREADS=1", "PYTHONNOUSERSITE=1")
	return contest.Start(ctx, env, python(dir), "-c", script, engine)
}
