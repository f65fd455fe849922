package ann

// laterRows is how many rows of a block are compared later at most. Of more, the first have come
// from memory before the last are asked for.
const laterRows = 32

// later is the rows of a block that the sieve has left, a few. They are compared when the next
// block has been sifted, which takes about as long as their vectors take to come from memory:
// those lie all over the store's file, and each is waited for longer than it takes to compare.
type later struct {
	rows [laterRows]int32
	n    int
	e    float64 // as gather takes it
}

// postpone asks for rows and leaves them for later, when those have been compared that were left
// before.
func (a *Arena[T]) postpone(s *scratch[T], rows []int32, e float64) {
	for _, row := range rows {
		a.prefetch(s.view, row)
	}
	a.catchUp(s)
	s.later.n, s.later.e = copy(s.later.rows[:], rows), e
}

// catchUp compares the rows that were left for later.
func (a *Arena[T]) catchUp(s *scratch[T]) {
	if n := s.later.n; n > 0 {
		s.later.n = 0
		a.gather(s, s.later.rows[:n], s.later.e)
	}
}
