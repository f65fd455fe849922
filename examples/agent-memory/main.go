// Agent-memory is what an agent can be given as a tool: it learns facts, and recalls
// those that matter for a question.
//
//	cd examples/agent-memory
//	go run . learn -source user "The deployment goes out on Thursdays."
//	go run . recall "when do we deploy?"
//	go run . forget -days 90
//
// The memory is a file in your cache directory, or any database that -db names, such
// as postgres://…, with the same meaning. The model is in the program.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/embed/builtin"
)

func main() {
	err := run(context.Background(), os.Args[1:], builtin.New(), os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "agent-memory:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, e vecwire.Embedder, stdout io.Writer) error {
	if len(args) == 0 {
		return errors.New("usage: agent-memory learn|recall|forget [flags] TEXT")
	}
	flags := flag.NewFlagSet("agent-memory "+args[0], flag.ContinueOnError)
	url := flags.String("db", "", "database `URL` (default a file in your cache directory)")
	source := flags.String("source", "user", "who says so (learn)")
	confidence := flags.Float64("confidence", 0.9, "how sure it is, from 0 to 1 (learn)")
	k := flags.Int("k", 3, "how many facts (recall)")
	lasts := flags.Duration("lasts", 0, "how long it stays true, such as 48h; 0 for ever (learn)")
	days := flags.Int("days", 365, "older facts go (forget)")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if *url == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return err
		}
		*url = filepath.Join(cache, "vecwire", "agent-memory", "facts.db")
		if err := os.MkdirAll(filepath.Dir(*url), 0o755); err != nil {
			return err
		}
	}
	db, err := vecwire.Open(ctx, *url)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	m, err := NewMemory(ctx, db, e)
	if err != nil {
		return err
	}
	text, now := strings.Join(flags.Args(), " "), time.Now()
	switch args[0] {
	case "learn":
		fact := Fact{Text: text, Source: *source, At: now, Confidence: *confidence}
		if *lasts > 0 {
			fact.Until = now.Add(*lasts)
		}
		return m.Learn(ctx, fact)
	case "recall":
		facts, err := m.Recall(ctx, text, now, *k)
		for _, f := range facts {
			fmt.Fprintf(stdout, "%.2f  %s  (%s, %s)\n", f.Weight, f.Text, f.Source, f.At.Format(time.DateOnly))
		}
		return err
	case "forget":
		n, err := m.Forget(ctx, now.AddDate(0, 0, -*days), now)
		fmt.Fprintln(stdout, n, "facts forgotten")
		return err
	}
	return fmt.Errorf("%s is none of learn, recall and forget", args[0])
}
