// Http-service serves a collection over HTTP:
//
//	go run ./examples/http-service -dim 3
//	curl -d '{"records": [{"id": "1", "vector": [1, 0, 0], "text": "red", "fields": {"lang": "en"}}]}' localhost:8080/upsert
//	curl -d '{"vector": [1, 0, 0], "k": 3, "filter": "lang == \"en\""}' localhost:8080/search
//
// With -embed-url, the address of an OpenAI-compatible server, records and queries
// may have a text in place of a vector. SIGTERM and SIGINT end it gracefully.
//
// It has no users and no keys: whoever reaches the address may read and write. Web
// pages of other origins may not, nor names that were pointed at it: give the name
// that clients use with -host if it is not localhost or an address.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/examples/internal/model"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stderr, func(net.Addr) {})
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "http-service:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends. It calls ready when it accepts connections.
func run(ctx context.Context, args []string, stderr io.Writer, ready func(net.Addr)) (err error) {
	flags := flag.NewFlagSet("http-service", flag.ContinueOnError)
	flags.SetOutput(stderr)
	addr := flags.String("addr", "localhost:8080", "`ADDRESS` to listen on")
	url := flags.String("db", "http-service.db", "database `URL`: a file, postgres://… or iris://…")
	name := flags.String("collection", "docs", "the collection's `NAME`")
	dim := flags.Int("dim", 384, "the `NUMBER` of dimensions, if no server embeds")
	limit := flags.Int("concurrency", 64, "answer at most `N` requests at a time")
	host := flags.String("host", "", "answer also for these `NAMES` of this host, with commas between them")
	var embedder model.Options
	embedder.Register(flags)
	if err := flags.Parse(args); err != nil {
		return err
	}

	log := slog.New(slog.NewJSONHandler(stderr, nil))
	db, err := vecwire.Config{Logger: log}.Open(ctx, *url)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	schema := vecwire.Schema{
		Name: *name, Dim: *dim,
		Fields: []vecwire.Field{{Name: "lang", Index: true}, {Name: "year", Type: vecwire.Int}, {Name: "url"}},
	}
	var e vecwire.Embedder
	if embedder.URL != "" {
		if e, schema.Metric, err = embedder.Open(nil); err != nil {
			return err
		}
		schema.Dim, schema.Model = e.Dim(), e.Model()
	}
	c, err := db.EnsureCollection(ctx, schema)
	if err == nil && e != nil {
		c, err = c.WithEmbedder(e)
	}
	if err != nil {
		return err
	}

	server := &http.Server{
		Handler:           newService(db, c, *limit, strings.FieldsFunc(*host, func(r rune) bool { return r == ',' || r == ' ' }), log),
		MaxHeaderBytes:    1 << 16,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      time.Minute,
		IdleTimeout:       2 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	log.Info("listening", "addr", listener.Addr().String(), "engine", db.Capabilities().Engine)
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	ready(listener.Addr())
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// Requests that are being answered are finished; no others are taken.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer cancel()
	log.Info("shutting down")
	return server.Shutdown(grace)
}
