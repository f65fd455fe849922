//go:build !(amd64 || arm64) || !gc || purego

package bswap

// accelerated is never set here, and reverse4 is never called.
var accelerated bool

func reverse4(dst, src *byte, n int) {}
