package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/spf13/cobra"
)

const (
	quiet   = 300 * time.Millisecond // after a change, before the folder is read: editors write in steps
	tooLong = 5 * time.Second        // while changes do not end
)

func (a *app) watch() *cobra.Command {
	var o reading
	cmd := &cobra.Command{
		Use: "watch [flags] DIR", Short: "keep up with a folder", GroupID: "begin",
		Long: `Adds a folder as add does, and again whenever something in it changes, until Ctrl-C. The
database is closed in between.`,
		Example: `vecwire watch docs`,
		Args:    arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(); err != nil {
				return err
			}
			o.tree.Path = args[0]
			err := a.watching(cmd.Context(), o)
			if cmd.Context().Err() != nil && errors.Is(err, context.Canceled) {
				return nil // Ctrl-C is how a watch ends
			}
			return err
		},
	}
	o.register(cmd)
	return cmd
}

func (a *app) watching(ctx context.Context, o reading) (err error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	if file, ok := fileOf(a.settings.DB); ok {
		if o.tree.Store, err = filepath.Abs(file); err != nil {
			return err
		}
	}
	for first := true; ; first = false {
		// New folders are watched before the tree is read, so that nothing is missed.
		folders, err := o.tree.Folders()
		if err != nil {
			return err
		}
		for _, name := range folders {
			if err := w.Add(name); err != nil {
				return remedy(fmt.Errorf("watch %s: %w", name, err), "the system may watch too few folders: on Linux raise fs.inotify.max_user_watches")
			}
		}
		again := make(<-chan time.Time)
		if err := a.again(ctx, &o, first); err != nil && (first || ctx.Err() != nil) {
			return err
		} else if err != nil {
			a.note("vecwire: %v; trying again in a second", err)
			again = time.After(time.Second)
		}
		if err := changed(ctx, w, o.tree.Store, again); err != nil {
			return err
		}
	}
}

// again reads the tree and prints what became of it, the first time in any case.
func (a *app) again(ctx context.Context, o *reading, first bool) (err error) {
	db, err := a.openURL(ctx, a.settings.DB)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	c, err := a.filled(ctx, db, o)
	if err != nil {
		return err
	}
	report, err := a.read(ctx, c, o.tree, o.move, false)
	if err != nil {
		return err
	}
	if !first && report.Inserted+report.Updated+report.Deleted+report.Failed == 0 {
		return nil
	}
	if err := a.addedTo(c, o.tree.Path, report, false); !errors.Is(err, errPartly) {
		return err
	}
	return nil
}

// changed waits until something has changed and it has been quiet for a while.
func changed(ctx context.Context, w *fsnotify.Watcher, except string, again <-chan time.Time) error {
	var calm, end <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-again:
			return nil
		case <-calm:
			return nil
		case <-end:
			return nil
		case e, open := <-w.Events:
			if !open {
				return errors.New("the system has ended the watch")
			}
			abs, err := filepath.Abs(e.Name)
			if e.Op == fsnotify.Chmod || err == nil && except != "" && strings.HasPrefix(abs, except) {
				continue
			}
			calm = time.After(quiet)
			if end == nil {
				end = time.After(tooLong)
			}
		case err := <-w.Errors:
			if !errors.Is(err, fsnotify.ErrEventOverflow) {
				return err
			}
			calm = time.After(quiet) // some changes were not told: all is read again anyway
		}
	}
}
