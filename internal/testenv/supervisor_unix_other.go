//go:build unix && !linux

package testenv

import (
	"os/exec"
	"syscall"
)

// quitWithParent does nothing: only Linux has a parent-death signal.
func quitWithParent(*exec.Cmd, syscall.Signal) {}

// adoptOrphans does nothing: only Linux lets a process adopt its descendants.
func adoptOrphans() {}

// endDescendants kills what is left of the server's process group.
func endDescendants(group int) { _ = syscall.Kill(-group, syscall.SIGKILL) }
