// Command gen writes the kernels of internal/simd and of its package bswap: those
// for AVX2 with avo (https://github.com/mmcloughlin/avo, BSD-3-Clause), and those
// for NEON, which avo does not know, with the little assembler of neon.go. It is a
// module of its own, so that nobody who builds vecwire needs avo.
//
// It is run in its folder, by go generate in internal/simd:
//
//	go run .
//
// Its test says whether the files that are committed are what it writes.
package main

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/mmcloughlin/avo/build"
)

func main() {
	log.SetFlags(0)
	for _, p := range packages {
		files, err := p.files()
		if err != nil {
			build.LogError(log.Default(), err, 0)
			os.Exit(1)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(p.dir, name), text, 0o644); err != nil {
				log.Fatal(err)
			}
			fmt.Println(filepath.Join(p.dir, name))
		}
	}
}
