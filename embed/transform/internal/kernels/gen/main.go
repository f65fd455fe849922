// Command gen writes the kernels of embed/transform/internal/kernels: those for AVX2
// with avo (https://github.com/mmcloughlin/avo, BSD-3-Clause), and the one for NEON as
// text. It is a module of its own, so that no other build needs avo.
//
// It is run in its folder, by go generate in the package above:
//
//	go run .
//
// Its test says whether the committed files are what it writes.
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
	files, err := files()
	if err != nil {
		build.LogError(log.Default(), err, 0)
		os.Exit(1)
	}
	for name, text := range files {
		path := filepath.Join("..", name)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			log.Fatal(err)
		}
		fmt.Println(path)
	}
}
