package embed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"

	"github.com/vecwire/vecwire/codec"
	"github.com/vecwire/vecwire/internal/backoff"
	"github.com/vecwire/vecwire/internal/fault"
)

// An Isolator embeds texts so that a text that the model refuses costs only itself.
// It is safe for concurrent use. Use one for all texts of a job: it remembers how
// many texts were refused, and makes smaller calls where that saves texts.
type Isolator struct {
	e    Embedder
	pace pace
}

// Isolate returns an Isolator of e. It works with any embedder, and best if [Batch] or
// [Cache] is the outermost wrapper of e: these isolate within their own calls, so
// that calls without a refused text are made once.
func Isolate(e Embedder) *Isolator { return &Isolator{e: e} }

// An eacher is an embedder that isolates texts itself.
type eacher interface {
	each(ctx context.Context, texts []string, use Use) ([][]float32, []*TextError, error)
}

const (
	// canary is embedded when texts were only refused, to find out whether the texts
	// or the embedder are at fault. No model should refuse it.
	canary = "text"
	// doubt is how many texts are refused, and none embedded, before that happens.
	doubt = 8
	// attempts is how often Retry may try a text alone after it failed, as often as
	// Retry says, in a call with others. The second attempt is for a text that fails
	// by chance.
	attempts = 2
)

// Each returns a vector for each text, in order, and the texts that the embedder
// refuses: their vectors are nil, and failed names them by their places in texts, in
// order, with the embedder's error. A text is refused if a call of it alone fails,
// if its vector is bad, or if the error of a call names it. A panic counts as an
// error.
//
// An error that is not about texts ends the work: the end of ctx, an error that may
// be retried later (see [Temporary]; put [Retry] into e), a server that refuses the
// caller or was not reached, or an embedder that refuses everything. Then vectors and
// failed hold the results until then. An error decides for itself if it has the
// method
//
//	TextsAtFault() bool // false if no text is
//
// # Bound
//
// For n texts given to an Isolator in all, at most 2n texts are sent, and one harmless
// text more for each call of Each in which all texts are refused, or the first eight:
// it shows whether the embedder works at all. Attempts of [Retry] count once.
//
// Each text allows for one text in a call that fails, so texts that are embedded by
// their first call pay for the search among others. If refusals are rare, a text at fault
// is found by halving, in about 2*log2(n) calls. If they are frequent, calls become
// smaller, down to one text if more than one in eight is refused. If nothing has been
// embedded before, the texts of a call that fails are sent one by one: no strategy
// for a single text at fault among n can do better within 2n, because the first call
// has cost n, the others have to be sent, and nothing is left for a call that fails.
func (i *Isolator) Each(ctx context.Context, texts []string, use Use) (vectors [][]float32, failed []*TextError, err error) {
	if len(texts) == 0 {
		return nil, nil, ctx.Err()
	}
	if inner, ok := i.e.(eacher); ok {
		return inner.each(ctx, texts, use)
	}
	s := isolation{Isolator: i, texts: texts, use: use, vectors: make([][]float32, len(texts)), left: make([]int, len(texts))}
	for at := range s.left {
		s.left[at] = at
	}
	err = s.run(ctx)
	slices.SortFunc(s.failed, func(a, b *TextError) int { return cmp.Compare(a.Index, b.Index) })
	return s.vectors, s.failed, err
}

// An isolation is one call of Each.
type isolation struct {
	*Isolator
	texts   []string
	use     Use
	vectors [][]float32
	failed  []*TextError
	left    []int // the places of the texts that are not settled, in order
	suspect int   // how many of the first of them failed together and were not explained; 0 for none
	size    int   // of the smallest call of them that failed
	tried   bool  // whether a call was made
}

func (s *isolation) run(ctx context.Context) error {
	begun := s.pace.embedded()
	fresh, doubted := len(s.texts), false
	for len(s.left) > 0 {
		n := s.pace.next(len(s.left), s.suspect, fresh)
		fresh = 0
		if err := s.call(ctx, n); err != nil {
			return err
		}
		refused := len(s.failed)
		if doubted || refused < doubt && (refused == 0 || len(s.left) > 0) || s.pace.embedded() > begun {
			continue
		}
		doubted = true
		if err := s.doubt(ctx); err != nil {
			return err
		}
	}
	return nil
}

// call makes a call of the first n texts that are left, and settles those that it
// gets a vector for or finds at fault. It returns errors that are not about texts.
func (s *isolation) call(ctx context.Context, n int) error {
	group := s.left[:n]
	texts := s.texts
	if n < len(texts) {
		texts = make([]string, n)
		for i, at := range group {
			texts[i] = s.texts[at]
		}
	}
	vectors, err := s.embed(s.patience(ctx, n), texts)
	s.tried = true
	switch named, isText := errors.AsType[*TextError](err); {
	case err == nil:
		s.answered(group, vectors)
	case outage(ctx, err):
		return err
	case isText && !isCount(err) && 0 <= named.Index && named.Index < n:
		s.refuse(n, named.Index, named.Err)
	case n == 1:
		s.refuse(n, 0, err)
	default:
		s.pace.settle(n, 0, 0)
		s.suspect, s.size = n, n
	}
	return nil
}

// patience returns the context of a call of n texts. Texts that failed together did
// so as often as Retry says, and are not tried that often again.
func (s *isolation) patience(ctx context.Context, n int) context.Context {
	switch {
	case !s.tried:
		return ctx
	case n == 1:
		return backoff.Fewer(ctx, attempts)
	}
	return backoff.Fewer(ctx, 1)
}

// embed makes a call. It returns as many vectors as texts.
func (s *isolation) embed(ctx context.Context, texts []string) (vectors [][]float32, err error) {
	err = fault.Guard("the Embedder", func() error {
		vectors, err = s.e.Embed(ctx, texts, s.use)
		if err == nil && len(vectors) != len(texts) {
			err = &CountError{Texts: len(texts), Vectors: len(vectors)}
		}
		return err
	})
	return vectors, err
}

// answered settles the texts of a call by their vectors.
func (s *isolation) answered(group []int, vectors [][]float32) {
	bad := 0
	for i, at := range group {
		if err := s.check(vectors[i]); err != nil {
			s.failed = append(s.failed, &TextError{Index: at, Err: err})
			bad++
			continue
		}
		s.vectors[at] = vectors[i]
	}
	n := len(group)
	s.left = s.left[n:]
	s.pace.settle(n, n-bad, bad)
	switch {
	case bad > 0:
		s.suspect = 0
	case s.suspect > n:
		s.suspect -= n
	case s.suspect > 0: // no text explains it
		s.suspect = 0
		s.pace.tooLarge(s.size)
	}
}

func (s *isolation) check(vector []float32) error {
	if verified(s.e) {
		return nil
	}
	return codec.Check(vector, s.e.Dim(), codec.Dot)
}

// refuse settles the text at place i of a call of n that failed.
func (s *isolation) refuse(n, i int, err error) {
	s.failed = append(s.failed, &TextError{Index: s.left[i], Err: err})
	s.left = slices.Delete(s.left, i, i+1)
	s.suspect = 0
	s.pace.settle(n, 0, 1)
}

// doubt finds out whether the embedder works, after it has only refused texts.
func (s *isolation) doubt(ctx context.Context) error {
	vectors, err := s.embed(ctx, []string{canary})
	if err == nil {
		err = s.check(vectors[0])
	}
	s.pace.settle(1, 0, 0)
	switch {
	case err == nil:
		return nil
	case outage(ctx, err):
		return err
	}
	first := s.failed[0].Err
	s.failed = nil
	return fmt.Errorf("it refuses every text, also %q: %w", canary, first)
}

// outage reports whether an error says nothing about texts: other texts would fail
// with it too.
func outage(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return true
	}
	if judge, ok := errors.AsType[fault.Judge](err); ok {
		return !judge.TextsAtFault()
	}
	if _, again := Retryable(err); again {
		return true
	}
	if _, ok := errors.AsType[*TextError](err); ok {
		return false
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// isCount reports whether an answer had too few vectors or too many. Such an error
// names the first place without a vector, and the server may have left out another.
func isCount(err error) bool {
	_, ok := errors.AsType[*CountError](err)
	return ok
}
