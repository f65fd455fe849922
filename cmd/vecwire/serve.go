package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/serve"
)

// serving are the flags of serve.
type serving struct {
	address, tokens, cert, key string
	grace                      time.Duration
	quiet                      bool
	options                    serve.Options
}

func (a *app) serve() *cobra.Command {
	var o serving
	cmd := &cobra.Command{
		Use: "serve [flags]", Short: "serve a JSON API and a web page", GroupID: "serve",
		Long: `Serves the database over HTTP: a JSON API (/v1, described by /openapi.json), a web page,
health checks and metrics. Without tokens it answers this machine only. --tokens names a
file with a line NAME SCOPE SECRET for each caller, with the scope read, write or admin,
and after them, if it may reach some collections only, their names with commas between.
A store that is not there yet is made, and filled by the page, the API or vecwire add.`,
		Example: `vecwire serve --addr 127.0.0.1:7333
vecwire serve --addr 127.0.0.1:7333 --tokens tokens.txt --host search.example.com`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			e, err := a.embedder()
			if err != nil {
				return err
			}
			o.options.Embedders = []vecwire.Embedder{e}
			o.options.Version = version()
			if !o.quiet {
				o.options.Logger = slog.New(slog.NewTextHandler(a.log, nil))
			}
			if o.tokens != "" {
				if o.options.Tokens, err = readTokens(o.tokens); err != nil {
					return err
				}
			}
			if err := o.options.Check(); err != nil {
				return &usageError{err.Error()}
			}
			return a.withNew(ctx, func(db *vecwire.DB) error { return a.served(ctx, db, o) })
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.address, "addr", "127.0.0.1:7333", "listen at this `ADDRESS`")
	flags.StringVar(&o.tokens, "tokens", "", "`FILE` of bearer tokens")
	flags.StringArrayVar(&o.options.Hosts, "host", nil, "`NAME` under which callers address the server; repeat it for more")
	flags.StringArrayVar(&o.options.Origins, "origin", nil, "`ORIGIN` of pages elsewhere that may call; repeat it for more")
	flags.StringVar(&o.cert, "tls-cert", "", "`FILE` of the certificate, for HTTPS")
	flags.StringVar(&o.key, "tls-key", "", "`FILE` of its key")
	flags.DurationVar(&o.grace, "grace", 10*time.Second, "`TIME` that requests have to end after a signal")
	flags.BoolVar(&o.options.NoPage, "no-page", false, "leave the web page out")
	flags.BoolVar(&o.quiet, "quiet", false, "do not log requests")
	return cmd
}

func (a *app) served(ctx context.Context, db *vecwire.DB, o serving) error {
	l, err := a.listen(ctx, o.address, len(o.options.Tokens) > 0 || len(o.options.Hosts) > 0, "give callers tokens by --tokens")
	if err != nil {
		return err
	}
	scheme := "http"
	if o.cert != "" || o.key != "" {
		pair, err := tls.LoadX509KeyPair(o.cert, o.key)
		if err != nil {
			return errors.Join(usagef("--tls-cert and --tls-key: %v", err), l.Close())
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
		scheme = "https"
	}
	a.note("listening at %s://%s", scheme, l.Addr())
	if all, err := db.Collections(ctx); err == nil && len(all) == 0 {
		a.note("the database is empty: run vecwire add FOLDER in another terminal, or upload records on the page")
	}
	return serve.Run(ctx, serve.Server(serve.New(db, o.options)), l, o.grace)
}

// listen listens at an address. One that others can reach needs something that keeps
// strangers out.
func (a *app) listen(ctx context.Context, address string, guarded bool, how string) (net.Listener, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, remedy(err, "name a free address of this machine, such as 127.0.0.1:7333")
	}
	if at, ok := l.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() && !guarded {
		return nil, errors.Join(usagef("others can reach %s: %s, or listen at 127.0.0.1", l.Addr(), how), l.Close())
	}
	return l, nil
}

var scopes = map[string]serve.Scope{"read": serve.Read, "write": serve.Write, "admin": serve.Admin}

// readTokens reads a file of tokens. What it says of a bad line holds no secret.
func readTokens(name string) ([]serve.Token, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var tokens []serve.Token
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		words := strings.Fields(lines.Text())
		if len(words) == 0 || strings.HasPrefix(words[0], "#") {
			continue
		}
		if len(words) != 3 && len(words) != 4 || scopes[words[1]] == 0 {
			return nil, fmt.Errorf("%s line %d: want NAME read|write|admin SECRET [COLLECTION,COLLECTION…]", name, n)
		}
		token, err := serve.NewToken(words[0], words[2], scopes[words[1]])
		if err != nil {
			return nil, fmt.Errorf("%s line %d: %w", name, n, err)
		}
		if len(words) == 4 {
			token.Collections = strings.Split(words[3], ",")
		}
		tokens = append(tokens, token)
	}
	if len(tokens) == 0 && lines.Err() == nil {
		return nil, fmt.Errorf("%s has no tokens", name)
	}
	return tokens, lines.Err()
}
