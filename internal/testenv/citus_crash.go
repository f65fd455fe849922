package testenv

import (
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// crashVariable names a program that kills a server of the cluster, and starts it again.
const crashVariable = "VECWIRE_TEST_CITUS_CRASH"

// CitusCrash returns the host:port of each server of the cluster that VECWIRE_TEST_CITUS
// names, its coordinator first, and what kills one of them and starts it again: the
// program of VECWIRE_TEST_CITUS_CRASH, without which the test is skipped.
func CitusCrash(t testing.TB) (servers []string, crash func(server string) error) {
	t.Helper()
	program := os.Getenv(crashVariable)
	if program == "" || !IsCitus() {
		t.Skipf("no cluster whose servers may be killed: set %s, and %s to a program that kills the server at the host:port it is given, and starts it again", citusVariable, crashVariable)
	}
	servers = strings.Split(os.Getenv(citusVariable), ",")
	coordinator, err := url.Parse(servers[0])
	if err != nil {
		t.Fatalf("%s begins with no URL", citusVariable)
	}
	servers[0] = coordinator.Host
	return servers, func(server string) error { return exec.CommandContext(t.Context(), program, server).Run() }
}
