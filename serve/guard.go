package serve

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// guard says who may call.
type guard struct {
	tokens  []caller
	hosts   []string // nil for all
	local   bool     // only callers on the same machine
	origins []string
}

// caller is a token, and how much it has called of late.
type caller struct {
	Token
	mu   sync.Mutex
	left float64 // requests it may still make now
	at   time.Time
}

// anyone is the caller where there are no tokens.
var anyone = &caller{Token: Token{Name: "-", Scope: Admin}}

func newGuard(o Options) *guard {
	g := &guard{tokens: make([]caller, len(o.Tokens)), origins: o.Origins}
	for i, t := range o.Tokens {
		g.tokens[i].Token, g.tokens[i].left = t, t.burst()
	}
	switch {
	case slices.Contains(o.Hosts, "*"):
	case len(o.Hosts) > 0:
		for _, h := range o.Hosts {
			g.hosts = append(g.hosts, strings.ToLower(h))
		}
	case len(o.Tokens) == 0:
		g.hosts, g.local = []string{"localhost", "127.0.0.1", "::1"}, true
	}
	return g
}

// admit checks by which name the server is addressed and from which page, and sets
// the headers by which a page elsewhere may read the answer. It reports whether the
// request is such a page's question of what it may do, which needs no more answer.
func (g *guard) admit(w http.ResponseWriter, r *http.Request) (asked bool, err error) {
	if g.local {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !peer.Addr().Unmap().IsLoopback() {
			return false, newProblem(http.StatusForbidden, "misdirected", "without tokens only callers on the same machine are answered")
		}
	}
	if g.hosts != nil && !slices.Contains(g.hosts, hostname(r.Host)) {
		return false, newProblem(http.StatusMisdirectedRequest, "misdirected", "the server is not called by the name in the header Host")
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false, nil
	}
	if slices.Contains(g.origins, origin) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", origin)
		h.Add("Vary", "Origin")
		h.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After, Vecwire-After")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			h.Set("Access-Control-Allow-Methods", "GET, POST, PUT, PATCH, DELETE")
			h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Request-Id")
			h.Set("Access-Control-Max-Age", "600")
			w.WriteHeader(http.StatusNoContent)
			return true, nil
		}
		return false, nil
	}
	if u, err := url.Parse(origin); err != nil || u.Host == "" || !strings.EqualFold(u.Host, r.Host) {
		return false, newProblem(http.StatusForbidden, "misdirected", "pages of another origin may not call this server")
	}
	return false, nil
}

// hostname returns the name in a Host header, without port and brackets.
func hostname(host string) string {
	if strings.IndexByte(host, ':') >= 0 { // else its error would have to be made
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

// identify returns whose token a request has. All tokens are compared, each in
// constant time, by their hashes.
func (g *guard) identify(r *http.Request) (*caller, error) {
	if len(g.tokens) == 0 {
		return anyone, nil
	}
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	hash := sha256.Sum256([]byte(strings.TrimSpace(secret)))
	var found *caller
	for i := range g.tokens {
		if subtle.ConstantTimeCompare(hash[:], g.tokens[i].Hash[:]) == 1 {
			found = &g.tokens[i]
		}
	}
	if found == nil || !strings.EqualFold(scheme, "Bearer") {
		return nil, newProblem(http.StatusUnauthorized, "unauthorized", "send the header Authorization: Bearer, and a token of this server")
	}
	return found, nil
}

// burst is how many requests may come at once: what is allowed in two seconds.
func (t Token) burst() float64 { return max(1, 2*t.PerSecond) }

// spend counts a request, and refuses it if the caller has made too many.
func (c *caller) spend(now time.Time) error {
	if c.PerSecond == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() {
		c.left = min(c.burst(), c.left+c.PerSecond*now.Sub(c.at).Seconds())
	}
	c.at = now
	if c.left < 1 {
		return retryAfter(newProblem(http.StatusTooManyRequests, "too-many", "the token may make %g requests a second", c.PerSecond))
	}
	c.left--
	return nil
}

// may reports whether the caller may do what needs a scope, in a collection and a
// namespace, and returns the namespace that is meant.
func (c *caller) may(scope Scope, collection, namespace string) (string, error) {
	if c.Scope < scope {
		return "", newProblem(http.StatusForbidden, "forbidden", "this needs the scope %s, and the token has %s", scope, c.Scope)
	}
	if collection != "" && !c.sees(collection) {
		return "", newProblem(http.StatusForbidden, "forbidden", "the token is for other collections")
	}
	if len(c.Namespaces) == 0 || collection == "" {
		return namespace, nil
	}
	if namespace == "" && len(c.Namespaces) == 1 {
		return c.Namespaces[0], nil
	}
	if !slices.Contains(c.Namespaces, namespace) {
		return "", newProblem(http.StatusForbidden, "forbidden", "the token is for other namespaces: name one with the parameter namespace")
	}
	return namespace, nil
}

// sees reports whether the caller may know of a collection. Names that differ only
// in case are the same.
func (c *caller) sees(collection string) bool {
	return len(c.Collections) == 0 || slices.ContainsFunc(c.Collections, func(name string) bool { return strings.EqualFold(name, collection) })
}
