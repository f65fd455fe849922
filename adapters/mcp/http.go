package mcp

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// HTTPOptions says who may reach a server over HTTP.
type HTTPOptions struct {
	// Hosts are names, without ports, under which the server may be addressed beside
	// localhost and the loopback addresses. Others are refused, and so are pages from
	// other origins.
	Hosts []string
	// Token must be sent as a bearer token, if it is not empty.
	Token string
}

// maxBody is how long a request may be: a text to store, and much room.
const maxBody = 16 << 20

// Handler serves a server to any number of clients over streamable HTTP, at whatever
// path it is mounted. Each request stands by itself: there are no sessions that a client
// could leave behind, and clients of protocol 2026-07-28, which has none, are served too.
func Handler(server *sdk.Server, o HTTPOptions) http.Handler {
	streams := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server }, &sdk.StreamableHTTPOptions{
		Stateless:                  true, // the tools remember nothing, and send nothing unasked
		DisableLocalhostProtection: true, // o.known does it, and knows o.Hosts
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !o.known(r.Host):
			http.Error(w, "the Host of the request is not this server's: allow it when the server is started", http.StatusForbidden)
		case !o.sameOrigin(r.Header["Origin"]):
			http.Error(w, "the Origin of the request is not this server's", http.StatusForbidden)
		case !o.authorized(r.Header.Get("Authorization")):
			w.Header().Set("WWW-Authenticate", `Bearer realm="vecwire"`)
			http.Error(w, "a bearer token is needed", http.StatusUnauthorized)
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			streams.ServeHTTP(w, r)
		}
	})
}

// known reports whether a name, with or without a port, is the server's.
func (o HTTPOptions) known(host string) bool {
	name := host
	if without, _, err := net.SplitHostPort(host); err == nil {
		name = without
	}
	name = strings.ToLower(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(name, "]"), "["), "."))
	if name == "localhost" || slices.ContainsFunc(o.Hosts, func(h string) bool { return strings.EqualFold(h, name) }) {
		return true
	}
	ip := net.ParseIP(name)
	return ip != nil && ip.IsLoopback()
}

// sameOrigin reports whether a request came from no page, or from one of the server's.
func (o HTTPOptions) sameOrigin(origins []string) bool {
	for _, origin := range origins {
		u, err := url.Parse(origin)
		if err != nil || u.Host == "" || !o.known(u.Host) {
			return false
		}
	}
	return true
}

// authorized compares in a time that tells nothing about the token.
func (o HTTPOptions) authorized(header string) bool {
	if o.Token == "" {
		return true
	}
	scheme, token, _ := strings.Cut(header, " ")
	given, wanted := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(o.Token))
	return strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare(given[:], wanted[:]) == 1
}
