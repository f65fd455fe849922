package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/mcp"
	"github.com/vecwire/vecwire/serve"
)

const tokenVariable = "VECWIRE_MCP_TOKEN"

func (a *app) mcp() *cobra.Command {
	var write bool
	var address string
	var hosts []string
	var tokens int
	cmd := &cobra.Command{
		Use: "mcp [flags]", Short: "let assistants search, by the Model Context Protocol", GroupID: "serve",
		Long: `Serves the tools search, get and list, and with --write store and delete, to the program
that started it, over standard input and output; or with --http to any number of
clients of one process. Over HTTP it answers to this machine's names only, to no page of
another origin, and asks for the token that ` + tokenVariable + ` holds. With --collection,
assistants reach that one only.`,
		Example: `vecwire mcp
vecwire mcp --write --collection docs
vecwire mcp --http 127.0.0.1:7333`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			ctx := cmd.Context()
			e, err := a.embedder()
			if err != nil {
				return err
			}
			db, err := a.forAssistants(ctx, write)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			o := mcp.Options{Write: write, Embedder: e, Tokens: tokens, Version: version()}
			if a.settings.named {
				o.Collection = a.settings.Collection
			}
			server := mcp.NewServer(db, o)
			if address != "" {
				return a.serveHTTP(ctx, address, mcp.Handler(server, mcp.HTTPOptions{Hosts: hosts, Token: os.Getenv(tokenVariable)}))
			}
			err = server.Run(ctx, &sdk.IOTransport{Reader: io.NopCloser(a.in), Writer: unclosed{a.out}})
			if ctx.Err() != nil || errors.Is(err, io.EOF) {
				return nil // the client, or a signal, has ended it
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&write, "write", false, "let assistants store and delete, too")
	flags.StringVar(&address, "http", "", "listen at this `ADDRESS`, such as 127.0.0.1:7333, for any number of clients")
	flags.StringArrayVar(&hosts, "allow-host", nil, "`NAME` under which clients address the server, beside this machine's own; repeat it for more")
	flags.IntVar(&tokens, "tokens", mcp.DefaultTokens, "at most about this `NUMBER` of tokens an answer")
	cmd.AddCommand(a.mcpInstall())
	return cmd
}

// forAssistants opens the database. One that may be written to is made, with the
// collection that was named, so that there is something to write to.
func (a *app) forAssistants(ctx context.Context, write bool) (*vecwire.DB, error) {
	if !write {
		return a.open(ctx)
	}
	db, err := a.openURL(ctx, a.settings.DB)
	if err != nil {
		return nil, err
	}
	_, err = db.OpenCollection(ctx, a.settings.Collection)
	if errors.Is(err, vecwire.ErrNotFound) {
		_, err = a.filled(ctx, db, &reading{})
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// graceful is how long requests may take after a signal.
const graceful = 5 * time.Second

// serveHTTP listens until ctx ends, and then lets requests finish.
func (a *app) serveHTTP(ctx context.Context, address string, handler http.Handler) error {
	l, err := a.listen(ctx, address, os.Getenv(tokenVariable) != "", "set "+tokenVariable+" to a token that clients must send")
	if err != nil {
		return err
	}
	a.note("listening at http://%s", l.Addr())
	s := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	err = serve.Run(ctx, s, l, graceful)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil // streams of clients that stay do not end by themselves
	}
	return err
}

type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// release is set by dist/release.
var release string

// version is the release, or else what go install notes in the program.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "dev"
}
