// Rag answers a question from your own Markdown folder:
//
//	go run ./examples/rag -folder docs "why may a search return fewer records?"
//
// It indexes the folder, finds the passages that the question is about, and prints
// a prompt that holds them with numbers to cite, within a budget of tokens. With
// -chat-url, the address of an OpenAI-compatible chat endpoint, it also prints the
// model's answer.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/chunk"
	"github.com/vecwire/vecwire/examples/internal/bar"
	"github.com/vecwire/vecwire/examples/internal/corpus"
	"github.com/vecwire/vecwire/examples/internal/model"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "rag:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("rag", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: rag [-folder FOLDER] [-db URL] [-tokens N] [-chat-url URL] QUESTION...")
		flags.PrintDefaults()
	}
	folder := flags.String("folder", ".", "the `FOLDER` of Markdown and text files")
	url := flags.String("db", "", "database `URL` (default a file in your cache directory)")
	tokens := flags.Int("tokens", 1500, "at most `N` tokens in the prompt, by estimate")
	var chat Chat
	flags.StringVar(&chat.URL, "chat-url", "", "base `URL` of an OpenAI-compatible chat endpoint, such as http://localhost:11434/v1")
	flags.StringVar(&chat.Model, "chat-model", "gpt-4o-mini", "its `MODEL`")
	var embedder model.Options
	embedder.Register(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}
	question := strings.Join(flags.Args(), " ")
	if question == "" {
		flags.Usage()
		return errors.New("a question is needed")
	}

	path, err := filepath.Abs(*folder)
	if err != nil {
		return err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	place := filepath.Join(cache, "vecwire", "rag", fmt.Sprintf("%x", sha256.Sum256([]byte(path+*url)))[:12])
	if err := os.MkdirAll(place, 0o755); err != nil {
		return err
	}
	if *url == "" {
		*url = filepath.Join(place, "rag.db")
	}
	embedder.File = filepath.Join(place, "words")

	db, err := vecwire.Open(ctx, *url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	c, err := index(ctx, db, corpus.Folder{Path: path}, embedder, stderr)
	if err != nil {
		return err
	}
	hits, err := c.Search(ctx, vecwire.Query{Text: question, K: 20})
	if err != nil {
		return err
	}
	prompt, cited := Prompt(question, hits, *tokens)
	if cited == 0 {
		return fmt.Errorf("nothing in %s is about that", path)
	}
	fmt.Fprintln(stdout, prompt)
	if chat.URL == "" {
		return nil
	}
	answer, err := chat.Ask(ctx, prompt)
	if err == nil {
		_, err = fmt.Fprintf(stdout, "\n---\n%s\n", answer)
	}
	return err
}

// index brings the collection up to date with the folder.
func index(ctx context.Context, db *vecwire.DB, folder corpus.Folder, options model.Options, stderr io.Writer) (*vecwire.Collection, error) {
	e, metric, err := options.Open(folder.Texts())
	if err != nil {
		return nil, err
	}
	c, err := db.EnsureCollection(ctx, vecwire.Schema{Name: "passages", Dim: e.Dim(), Metric: metric, Model: e.Model(), Fields: corpus.Fields})
	if err != nil {
		return nil, err
	}
	if c, err = c.WithEmbedder(e); err != nil {
		return nil, err
	}
	b := bar.New(stderr)
	report, err := folder.Sync(ctx, c, b.Ingest)
	b.End()
	return c, errors.Join(err, report.Err())
}

const instructions = "Answer the question from the passages below. Cite the passages you use by their numbers, like [1]. " +
	"If they do not answer it, say so."

// Prompt puts the question and as many of the passages as the budget allows into
// one text, the best first, and returns how many. Those that share nothing with
// the question, whose score is not positive, are left out.
func Prompt(question string, hits []vecwire.Hit, tokens int) (prompt string, cited int) {
	end := "\nQuestion: " + question
	left := tokens - chunk.EstimateTokens(instructions+end)
	var b strings.Builder
	b.WriteString(instructions + "\n")
	for _, h := range hits {
		where := fmt.Sprint(h.Fields[vecwire.SourceField])
		if above, _ := h.Fields["headings"].(string); above != "" {
			where += " > " + above
		}
		passage := fmt.Sprintf("\n[%d] %s\n%s\n", cited+1, where, h.Text)
		size := chunk.EstimateTokens(passage)
		if h.Score <= 0 || size > left {
			continue
		}
		left -= size
		cited++
		b.WriteString(passage)
	}
	return b.String() + end, cited
}
