package pgvector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vecwire/vecwire/internal/engine"
)

// settings are those of a session that change what values mean on their way, and
// that a database or a role may set otherwise. Each connection begins with them.
// What is not among them is the database's to say, such as search_path, timeouts
// and the time zone that its triggers see.
var settings = map[string]string{
	"client_encoding":             "UTF8", // of texts
	"standard_conforming_strings": "on",   // of '\' in statements
	"datestyle":                   "ISO",  // of times as text
	"extra_float_digits":          "1",    // fewer round numbers as text
	"bytea_output":                "hex",  // of bytes as text
	"array_nulls":                 "on",   // of NULL in arrays as text
	"gin_fuzzy_search_limit":      "0",    // of what a filter finds through an index
	// Of statements outside transactions, so that reading conflicts with no other.
	"default_transaction_isolation": "read committed",
}

// fits reports whether a setting means what vecwire needs.
func fits(name, value string) bool {
	switch name {
	case "datestyle":
		return strings.HasPrefix(strings.ToUpper(value), "ISO")
	case "extra_float_digits":
		n, err := strconv.Atoi(value)
		return err == nil && n >= 1
	case "default_transaction_isolation":
		return true // what others are stricter in costs retries and changes no answer
	}
	return strings.EqualFold(value, settings[name])
}

var refusedParameterRE = regexp.MustCompile(`unsupported startup parameter:? "?([A-Za-z_]+)`)

// withoutRefused takes out of params what a connection pooler does not let through
// when a connection is made, and reports whether there was something.
func withoutRefused(err error, params map[string]string) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Code != "08P01" || len(params) == 0 {
		return false
	}
	found := refusedParameterRE.FindStringSubmatch(pg.Message)
	if found == nil { // it does not say which
		clear(params)
		return true
	}
	name := strings.ToLower(found[1])
	_, ours := params[name]
	delete(params, name)
	return ours
}

// unfit asks a connection which of the settings do not fit, with their values.
func unfit(ctx context.Context, conn *pgx.Conn, names []string) (map[string]string, error) {
	rows, err := conn.Query(ctx, "SELECT name, current_setting(name) FROM unnest($1::text[]) AS name", names)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	var name, value string
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		if !fits(name, value) {
			out[name] = value
		}
		return nil
	})
	return out, err
}

// checkSettings finds out what a pooler or a pool's owner left of the settings: some
// poolers take them and keep them to themselves. What does not fit is set in each
// transaction if that is ours to do, and refused otherwise.
func (e *database) checkSettings(ctx context.Context, ours bool) error {
	var wrong map[string]string
	err := e.With(ctx, func(conn *pgx.Conn) (err error) {
		wrong, err = unfit(ctx, conn, slices.Sorted(maps.Keys(settings)))
		return err
	})
	if err != nil || len(wrong) == 0 {
		return e.Failure(err)
	}
	var set, is, want []string
	for _, name := range slices.Sorted(maps.Keys(wrong)) {
		set = append(set, fmt.Sprintf("set_config('%s', '%s', true)", name, settings[name]))
		is = append(is, fmt.Sprintf("%s is %q", name, wrong[name]))
		want = append(want, fmt.Sprintf("RuntimeParams[%q] = %q", name, settings[name]))
	}
	if !ours {
		return &engine.ConnectError{
			Target: e.Target, Err: fmt.Errorf("the pool's connections have settings that change what values mean: %s", strings.Join(is, ", ")),
			Remedy: "before making the pool, set in its ConnConfig " + strings.Join(want, ", "),
		}
	}
	e.local = "SELECT " + strings.Join(set, ", ")
	e.Log.WarnContext(ctx, "a connection pooler holds settings back, so that each read is a transaction which sets them", "server", e.Target, "settings", is)
	return nil
}

// Read runs an operation that changes nothing, and that may be run several times.
func (e *database) Read(ctx context.Context, op func(*pgx.Conn) error) error {
	if e.local == "" {
		return e.Server.Read(ctx, op)
	}
	return e.Server.Read(ctx, func(conn *pgx.Conn) error {
		var batch pgx.Batch
		batch.Queue("BEGIN ISOLATION LEVEL " + readCommitted)
		batch.Queue(e.local)
		err := conn.SendBatch(ctx, &batch).Close()
		if err == nil {
			err = op(conn)
		}
		undo(ctx, conn)
		return err
	})
}
