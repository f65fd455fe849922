//go:build gc && !purego

package bswap

import "testing"

func TestTheKernelRuns(t *testing.T) {
	if !accelerated {
		t.Fatal("the kernel is off")
	}
}
