package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/examples/internal/bar"
	"github.com/vecwire/vecwire/filter"
)

// A session answers questions while the index is filled.
type session struct {
	request
	index   Index
	printer *printer
	stderr  io.Writer

	docs     *vecwire.Collection // with an embedder
	changes  Changes
	took     time.Duration // to open
	complete atomic.Bool   // all records have their vectors
}

// open brings the texts up to date and says whether the package is one of them.
func (s *session) open(ctx context.Context, t Toolchain) error {
	start := time.Now()
	b := bar.New(s.stderr)
	s.index.Progress = b.Show
	docs, changes, err := s.index.Open(ctx, t)
	b.End()
	if err != nil {
		return err
	}
	s.changes, s.took = changes, time.Since(start)
	s.complete.Store(changes.Waiting == 0)
	if s.docs, err = docs.WithEmbedder(s.index.Embedder); err != nil {
		return err
	}
	if s.pkg == "" {
		return nil
	}
	n, err := docs.Count(ctx, s.filter())
	if err == nil && n == 0 {
		err = fmt.Errorf("the standard library has no package %q with documentation", s.pkg)
	}
	return err
}

func (s *session) filter() filter.Filter {
	if s.pkg == "" {
		return filter.Filter{}
	}
	return filter.Eq("package", s.pkg)
}

// once answers the question of the command line: by words first, if the vectors are
// not there yet, and then by both.
func (s *session) once(ctx context.Context) error {
	if s.complete.Load() {
		return s.answer(ctx, s.question)
	}
	if !s.json && s.words() {
		s.printer.note("By words, while the vectors of " + fmt.Sprint(s.changes.Waiting) + " symbols are computed:")
		if err := s.answer(ctx, s.question); err != nil {
			return err
		}
	}
	if err := s.fill(ctx, bar.New(s.stderr)); err != nil {
		return err
	}
	return s.answer(ctx, s.question)
}

// words reports whether the engine finds words.
func (s *session) words() bool { return s.docs.Schema().FullText != vecwire.NoFullText }

// fill computes the vectors that are missing.
func (s *session) fill(ctx context.Context, b *bar.Bar) error {
	start := time.Now()
	s.index.Progress = b.Show
	err := s.index.Fill(ctx)
	b.End()
	if err == nil {
		s.took += time.Since(start)
		s.complete.Store(true)
	}
	return err
}

// converse answers one question a line. The vectors that are missing are computed
// meanwhile, without a word.
func (s *session) converse(ctx context.Context, stdin io.Reader) error {
	ctx, cancel := context.WithCancel(ctx)
	filled := make(chan error, 1)
	go func() {
		if s.complete.Load() {
			filled <- nil
			return
		}
		filled <- s.fill(ctx, bar.New(io.Discard))
	}()
	err := s.lines(ctx, stdin)
	cancel()
	if fill := <-filled; err == nil && !errors.Is(fill, context.Canceled) {
		err = fill
	}
	return err
}

func (s *session) lines(ctx context.Context, stdin io.Reader) error {
	prompt := func() {}
	if f, ok := stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s.printer.note(fmt.Sprintf("%d symbols of %s. Ask, or leave with an empty line.", s.changes.Records, s.index.toolchain.Version))
		prompt = func() { fmt.Fprint(s.stderr, "? ") }
	}
	lines := make(chan string)
	scanner := bufio.NewScanner(stdin)
	go func() {
		defer close(lines)
		for scanner.Scan() {
			select {
			case lines <- strings.TrimSpace(scanner.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		prompt()
		select {
		case line, ok := <-lines:
			if !ok {
				return scanner.Err()
			}
			if line == "" {
				return nil
			}
			if err := s.answer(ctx, line); err != nil {
				return err
			}
		case <-ctx.Done(): // the scanner still waits for a line
			return ctx.Err()
		}
	}
}

// answer prints the hits of a question.
func (s *session) answer(ctx context.Context, question string) error {
	complete := s.complete.Load()
	start := time.Now()
	hits, err := s.search(ctx, question, complete)
	if err != nil {
		return err
	}
	searching := time.Since(start)
	if s.json {
		return s.writeJSON(question, hits, complete)
	}
	m := newMatcher(question)
	for i, hit := range hits {
		s.printer.hit(i+1, hit, m)
	}
	if len(hits) == 0 {
		s.printer.paragraph("Nothing found.", nil)
	}
	s.printer.note(fmt.Sprintf("%s: %d symbols, %s; searched in %s", s.index.toolchain.Version, s.changes.Records, s.state(complete), round(searching)))
	return s.printer.err
}

func (s *session) state(complete bool) string {
	switch {
	case !complete:
		return "by words alone"
	case s.changes.Stored+s.changes.Removed+s.changes.Waiting == 0:
		return "up to date"
	default:
		return fmt.Sprintf("%d stored, %d removed in %s", s.changes.Stored, s.changes.Removed, round(s.took))
	}
}

// search looks for words, and for meanings where all vectors are there.
func (s *session) search(ctx context.Context, question string, complete bool) ([]vecwire.Hit, error) {
	q := vecwire.Query{Text: question, K: candidates, Filter: s.filter()}
	if s.words() {
		q.Fusion = &vecwire.Fusion{TextOnly: !complete}
		q.Candidates = candidates
	}
	hits, err := s.docs.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	hits = rank(hits, newMatcher(question))
	return hits[:min(s.k, len(hits))], nil
}

// jsonHit is a hit as -json prints it.
type jsonHit struct {
	ID        string  `json:"id"`
	Score     float64 `json:"score"`
	Signature any     `json:"signature"`
	Synopsis  any     `json:"synopsis"`
	File      string  `json:"file"`
	Line      any     `json:"line"`
}

func (s *session) writeJSON(question string, hits []vecwire.Hit, complete bool) error {
	list := make([]jsonHit, len(hits))
	for i, h := range hits {
		file, _ := h.Fields["file"].(string)
		list[i] = jsonHit{h.ID, h.Score, h.Fields["signature"], h.Fields["synopsis"], filepath.Join(s.printer.src, filepath.FromSlash(file)), h.Fields["line"]}
	}
	return json.NewEncoder(s.printer.w).Encode(struct {
		Question string    `json:"question"`
		Meaning  bool      `json:"meaning"` // or by words alone
		Hits     []jsonHit `json:"hits"`
	}{question, complete, list})
}

func round(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > time.Millisecond:
		return d.Round(10 * time.Microsecond)
	default:
		return d.Round(time.Microsecond)
	}
}
