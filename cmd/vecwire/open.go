package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/vecwire/vecwire"
)

// open opens the database that is there. Only verbs that put something in make one:
// otherwise a misspelled name would become an empty file.
func (a *app) open(ctx context.Context) (*vecwire.DB, error) {
	url := a.settings.DB
	if file, ok := fileOf(url); ok {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return nil, remedy(fmt.Errorf("there is no database %s: %w", file, vecwire.ErrNotFound),
				"run vecwire add FOLDER to make it, or name another one by --db or VECWIRE_DB")
		}
	}
	return a.openURL(ctx, url)
}

// openURL opens a database, and makes it if it is a file that is not there.
func (a *app) openURL(ctx context.Context, url string) (*vecwire.DB, error) {
	cfg := vecwire.Config{}
	if a.verbose {
		cfg.Logger = slog.New(slog.NewTextHandler(a.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return cfg.Open(ctx, url)
}

// fileOf returns the file that an address means, if it means one. What the library does
// not take for a file's name, such as a server's key=value settings with a password, is
// none here either: it is not to be shown.
func fileOf(url string) (string, bool) {
	if name, ok := strings.CutPrefix(url, "file:"); ok {
		name, _, _ = strings.Cut(name, "?")
		return strings.TrimPrefix(name, "//"), true
	}
	name := strings.TrimSuffix(url, "?mode=ro")
	if strings.ContainsAny(name, "@=?") || strings.Contains(name, "://") || strings.Index(name, ":") > 1 { // one letter is a drive
		return "", false
	}
	return name, true
}

// with runs f over the database that is there and closes it.
func (a *app) with(ctx context.Context, f func(db *vecwire.DB) error) error {
	db, err := a.open(ctx)
	return closing(db, err, f)
}

// withNew is with for a verb that may begin with a file that is not there.
func (a *app) withNew(ctx context.Context, f func(db *vecwire.DB) error) error {
	db, err := a.openURL(ctx, a.settings.DB)
	return closing(db, err, f)
}

// closing runs f over a database that was opened, unless that failed, and closes it.
func closing(db *vecwire.DB, opened error, f func(db *vecwire.DB) error) (err error) {
	if opened != nil {
		return opened
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return f(db)
}

// withCollection runs f over the collection that is meant.
func (a *app) withCollection(ctx context.Context, f func(db *vecwire.DB, c *vecwire.Collection) error) error {
	return a.with(ctx, func(db *vecwire.DB) error {
		c, err := a.collection(ctx, db)
		if err != nil {
			return err
		}
		return f(db, c)
	})
}

// collection opens the collection that was named, else the default one, else the only
// one.
func (a *app) collection(ctx context.Context, db *vecwire.DB) (*vecwire.Collection, error) {
	c, err := db.OpenCollection(ctx, a.settings.Collection)
	if !errors.Is(err, vecwire.ErrNotFound) {
		return c, err
	}
	schemas, listErr := db.Collections(ctx)
	if listErr != nil {
		return nil, listErr
	}
	if len(schemas) == 1 && !a.settings.named {
		return db.OpenCollection(ctx, schemas[0].Name)
	}
	if len(schemas) == 0 {
		return nil, remedy(err, "the database is empty: run vecwire add FOLDER first")
	}
	var names []string
	for _, s := range schemas {
		names = append(names, s.Name)
	}
	return nil, remedy(err, "choose one by --collection: %s", strings.Join(names, ", "))
}
