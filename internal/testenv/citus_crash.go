package testenv

import (
	"os"
	"os/exec"
	"testing"
)

// crashVariable names a program that kills a server of the cluster, and starts it again.
const crashVariable = "VECWIRE_TEST_CITUS_CRASH"

// CitusCrash returns CitusServers, and what kills one of them and starts it again: the
// program of VECWIRE_TEST_CITUS_CRASH, without which the test is skipped.
func CitusCrash(t testing.TB) (servers []string, crash func(server string) error) {
	t.Helper()
	program := os.Getenv(crashVariable)
	if program == "" {
		t.Skipf("no cluster whose servers may be killed: set %s to a program that kills the server at the host:port it is given, and starts it again", crashVariable)
	}
	return CitusServers(t), func(server string) error { return exec.CommandContext(t.Context(), program, server).Run() }
}
