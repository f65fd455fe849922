package rerank

// Group returns the first n items of each key, in the order of items. Of hits, best
// first, these are the n best of each document, author or site. It keeps none if n
// is below 1. Items that are left out make the answer shorter, so fetch more.
func Group[T any, K comparable](items []T, n int, key func(T) K) []T {
	seen := make(map[K]int)
	var out []T
	for _, item := range items {
		k := key(item)
		if seen[k] < n {
			seen[k]++
			out = append(out, item)
		}
	}
	return out
}
