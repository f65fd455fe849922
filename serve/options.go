package serve

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"time"

	"github.com/vecwire/vecwire"
)

// Options says what a handler serves, and to whom. The zero value serves
// everything to callers on the same machine, and nothing to others.
type Options struct {
	// Tokens are the bearer tokens that callers may have. Without any, every caller
	// may do everything; but then, unless Hosts says otherwise, only callers on the
	// same machine are answered.
	Tokens []Token
	// Hosts are the names, without port, by which callers may address the server, such
	// as "search.example.com". Others are refused, so that a page elsewhere whose name
	// was pointed at this server by its owner (DNS rebinding) does not reach it.
	// Defaults to the loopback names if there are no Tokens, and to all names if there
	// are. "*" means all names: for a handler behind a server that checks them and its
	// callers itself.
	Hosts []string
	// Origins are the pages, such as "https://app.example.com", whose scripts may call
	// the server from another origin (CORS). Defaults to none.
	Origins []string
	// Embedders turn texts into vectors. A collection uses the one whose Model is the
	// Model of its schema; collections of other models take vectors only.
	Embedders []vecwire.Embedder
	// Limits bounds what a request may ask for. Zeros mean the defaults.
	Limits Limits
	// Logger is told of every request at the level Info, and of the reason at the level
	// Error where the server is at fault. It is given no query, record or token.
	// Defaults to none.
	Logger *slog.Logger
	// NoPage leaves out the web page.
	NoPage bool
	// Version is what /v1/server and the OpenAPI document say that this is, such as the
	// program's own version. Defaults to "dev".
	Version string
}

// Limits bounds what a request may ask for. A zero means the default.
type Limits struct {
	Body         int64         // bytes of a body of JSON; 8 MiB
	Bulk         int64         // bytes of a body of records; 4 GiB
	Line         int64         // bytes of one record in a body of records; 8 MiB
	K            int           // hits of a search, with its offset; 1,000
	Queries      int           // of one search-many; 100
	IDs          int           // of one get or delete; 1,000
	FilterDepth  int           // levels of and, or and not in a filter; 20
	FilterValues int           // values in a filter; 1,000
	Sample       int           // records of a map, and queries of a recall; 5,000
	Concurrency  int           // requests that are answered at a time, others are refused; 256
	Time         time.Duration // for a request that is no stream and builds no index; 30 seconds
	Stall        time.Duration // without progress of a client that sends or reads a stream; 30 seconds
	// Rate is how many bytes a second a client sends a body of JSON at least, after 5
	// seconds, or Stall if that is shorter; records come at a sixteenth of it at least,
	// after Stall. Only the time counts in which the server waits for them. 16 KiB.
	Rate int64
}

func (l Limits) withDefaults() Limits {
	fill(&l.Body, 8<<20)
	fill(&l.Bulk, 4<<30)
	fill(&l.Line, 8<<20)
	fill(&l.K, 1000)
	fill(&l.Queries, 100)
	fill(&l.IDs, 1000)
	fill(&l.FilterDepth, 20)
	fill(&l.FilterValues, 1000)
	fill(&l.Sample, 5000)
	fill(&l.Concurrency, 256)
	fill(&l.Time, 30*time.Second)
	fill(&l.Stall, 30*time.Second)
	fill(&l.Rate, 16<<10)
	return l
}

func fill[T int | int64 | time.Duration](limit *T, value T) {
	if *limit == 0 {
		*limit = value
	}
}

func (l Limits) check() error {
	for name, v := range map[string]int64{
		"Body": l.Body, "Bulk": l.Bulk, "Line": l.Line, "K": int64(l.K), "Queries": int64(l.Queries), "IDs": int64(l.IDs),
		"FilterDepth": int64(l.FilterDepth), "FilterValues": int64(l.FilterValues), "Sample": int64(l.Sample),
		"Concurrency": int64(l.Concurrency), "Time": int64(l.Time), "Stall": int64(l.Stall), "Rate": l.Rate,
	} {
		if v < 0 {
			return fmt.Errorf("serve: Limits.%s is %d: give a positive number, or 0 for the default", name, v)
		}
	}
	return nil
}

// Scope is what a token allows. Each scope includes those before it.
type Scope uint8

// The scopes.
const (
	Read  Scope = iota + 1 // search and read
	Write                  // store, change and delete records, too
	Admin                  // make and drop collections and indexes, too
)

// String returns "read", "write" or "admin".
func (s Scope) String() string {
	switch s {
	case Read:
		return "read"
	case Write:
		return "write"
	case Admin:
		return "admin"
	}
	return "none"
}

// Token is a bearer token, of which the server knows the hash only. [NewToken]
// makes one of a secret.
type Token struct {
	// Name says whose it is, in logs. Required.
	Name string
	// Hash is the SHA-256 of the secret that callers send. The secret should be
	// random, of 128 bits or more, such as crypto/rand.Text makes.
	Hash [sha256.Size]byte
	// Scope is what the token allows. Required.
	Scope Scope
	// Collections are those that it is for. Defaults to all.
	Collections []string
	// Namespaces are those that it is for, see [vecwire.Collection.Namespace]; the
	// collections as a whole are then out of reach. A request that names none is about
	// the namespace if there is one only. Defaults to all, and none. Not with Admin.
	Namespaces []string
	// PerSecond is how many requests a second it may make in the long run; twice as
	// many at once. Defaults to no limit.
	PerSecond float64
}

// minSecret is how many bytes a secret has at least: 16 random letters and digits
// have 80 bits or more.
const minSecret = 16

// NewToken returns the token of a secret, for all collections. It returns an error
// for a secret of fewer than 16 bytes.
func NewToken(name, secret string, scope Scope) (Token, error) {
	if len(secret) < minSecret {
		return Token{}, fmt.Errorf("serve: the secret of token %q has %d bytes: give it %d or more, such as those of crypto/rand.Text", name, len(secret), minSecret)
	}
	return Token{Name: name, Hash: sha256.Sum256([]byte(secret)), Scope: scope}, nil
}

// Check returns what is wrong with the options, nil if nothing is. A handler of
// wrong options answers nothing but that it is misconfigured, so a program calls
// Check before [New].
func (o Options) Check() error {
	errs := []error{o.Limits.check()}
	for i, t := range o.Tokens {
		switch {
		case t.Name == "":
			errs = append(errs, fmt.Errorf("serve: token %d has no Name", i))
		case t.Hash == [sha256.Size]byte{} || t.Hash == sha256.Sum256(nil):
			errs = append(errs, fmt.Errorf("serve: token %q has no secret", t.Name))
		case t.Scope < Read || t.Scope > Admin:
			errs = append(errs, fmt.Errorf("serve: token %q has the Scope %d: give Read, Write or Admin", t.Name, t.Scope))
		case t.Scope == Admin && len(t.Namespaces) > 0:
			errs = append(errs, fmt.Errorf("serve: token %q has the Scope Admin and Namespaces: collections are not made or dropped in one", t.Name))
		case !(t.PerSecond >= 0):
			errs = append(errs, fmt.Errorf("serve: token %q has PerSecond %g: give a positive number, or 0 for no limit", t.Name, t.PerSecond))
		case slices.ContainsFunc(o.Tokens[:i], func(other Token) bool { return other.Hash == t.Hash }):
			errs = append(errs, fmt.Errorf("serve: token %q has the secret of another one", t.Name))
		}
	}
	for _, origin := range o.Origins {
		if u, err := url.Parse(origin); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.Scheme+"://"+u.Host != origin {
			errs = append(errs, fmt.Errorf("serve: origin %q: give a scheme and a host, such as https://app.example.com", origin))
		}
	}
	models := map[string]bool{}
	for i, e := range o.Embedders {
		switch {
		case e == nil:
			errs = append(errs, fmt.Errorf("serve: embedder %d is nil", i))
		case e.Model() == "":
			errs = append(errs, fmt.Errorf("serve: embedder %d has a model without a name", i))
		case models[e.Model()]:
			errs = append(errs, fmt.Errorf("serve: two embedders have the model %q", e.Model()))
		default:
			models[e.Model()] = true
		}
	}
	return errors.Join(errs...)
}
