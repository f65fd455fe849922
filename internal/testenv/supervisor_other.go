//go:build !unix

package testenv

import (
	"errors"
	"os"
	"os/exec"
)

var errSystem = errors.New("servers can be started on Linux and macOS only")

// ownGroup reports that this system cannot run servers.
func ownGroup(*exec.Cmd, *identity) error { return errSystem }

// holdLock reports that this system cannot run servers.
func holdLock(string) (*os.File, error) { return nil, errSystem }
