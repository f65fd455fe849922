//go:build gc && !purego

package simd

import "testing"

// A build that has kernels runs them: these tests and all others mean nothing
// without.
func TestKernelsRun(t *testing.T) {
	if !accelerated {
		t.Fatal("the kernels are off")
	}
}

// The code kernels without the dot-product extension, which the other tests use
// where the CPU has it.
func TestCodeKernelsWithoutDotProducts(t *testing.T) {
	if !dotProduct {
		t.Skip("the CPU has no dot-product extension: the other tests are this one")
	}
	dotProduct = false
	defer func() { dotProduct = true }()
	TestCodeKernelsAreExact(t)
	TestCodesOfManyElements(t)
	TestHalfKernelsAreExact(t)
}
