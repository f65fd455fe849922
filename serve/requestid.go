package serve

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"sync/atomic"
)

// requestIDs names requests, so that an answer and a line of the log can be put
// together: by the caller's own X-Request-Id, or by a number after a random word
// of the process.
type requestIDs struct {
	prefix string
	last   atomic.Uint64
}

func newRequestIDs() *requestIDs { return &requestIDs{prefix: rand.Text()[:8] + "-"} }

func (ids *requestIDs) of(r *http.Request) string {
	if given := r.Header.Get("X-Request-Id"); given != "" && isRequestID(given) {
		return given
	}
	return ids.prefix + strconv.FormatUint(ids.last.Add(1), 10)
}

// isRequestID reports whether an ID can stand in a log and a header as it is.
func isRequestID(s string) bool {
	if len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}
