// Package address reads what a user gives to say which database is to be opened.
//
// There may be a password anywhere in it, also where none belongs: what is not
// recognised is refused, errors show at most a known scheme of it, and a file is
// only what looks like a file's name. The package opens nothing.
package address

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/vecwire/vecwire/internal/engine"
)

// Kind says which engine an address is for.
type Kind uint8

// The kinds. A server of kind Postgres may turn out to be IRIS when it is asked.
const (
	Embedded Kind = iota
	Postgres
	IRIS
)

// Address is a database's address.
type Address struct {
	Kind       Kind
	Path       string // of the embedded engine's file, "" for a store in memory
	SyncNormal bool   // the last writes before a power cut may be lost
	ReadOnly   bool   // nothing is written
	URL        string // of a server, as it was given
}

const (
	remedy     = `give a file such as "vectors.db", "mem:", or a URL that begins with postgres:// or iris://`
	fileRemedy = "write file:path or file:///path for a file of such a name, with %3F for a question mark"
)

// Parse reads an address. Its error is an [*engine.ConnectError].
func Parse(target string) (Address, error) {
	if err := checkText(target); err != nil {
		return Address{}, err
	}
	scheme := schemeOf(target)
	switch scheme {
	case "postgres", "postgresql", "iris":
		if dsnRE.MatchString(target) {
			return parseDSN(target)
		}
		if !strings.HasPrefix(target[len(scheme):], "://") {
			return Address{}, refuse(scheme+":…", "the URL has no //", "write "+scheme+"://user@host:port/database")
		}
		if scheme == "iris" {
			return Address{Kind: IRIS, URL: target}, nil
		}
		return Address{Kind: Postgres, URL: target}, nil
	case "mem":
		if target[len("mem:"):] != "" {
			return Address{}, refuse("mem:…", "mem: takes no path and no parameters", "write mem:")
		}
		return Address{}, nil
	case "file":
		return parseFile(target[len("file:"):])
	case "":
		// The one parameter that a plain path may have; no file's name ends like this by chance.
		path, readOnly := strings.CutSuffix(target, "?mode=ro")
		a, err := parsePath(path)
		a.ReadOnly = readOnly && err == nil
		return a, err
	}
	return Address{}, refuse(shown(scheme), "unknown scheme"+named(scheme), remedy)
}

func refuse(target, why, remedy string) error {
	return &engine.ConnectError{Target: target, Err: errors.New(why), Remedy: remedy}
}

// checkText refuses what is left over from where an address was copied.
func checkText(target string) error {
	no := func(why string) error { return refuse("…", why, remedy) }
	switch {
	case target == "":
		return no("no database given")
	case strings.TrimSpace(target) == "":
		return no("the address is blank")
	case !utf8.ValidString(target):
		return no("the address is not valid UTF-8")
	case strings.HasPrefix(target, "\uFEFF"):
		return no("the address begins with a byte order mark")
	case target != strings.TrimSpace(target):
		return no("the address begins or ends with white space")
	case strings.ContainsFunc(target, unicode.IsControl):
		return no("the address has a control character, such as a line end, in it")
	case strings.ContainsRune("\"'`“‘<«", firstRune(target)):
		return no("the address is in quotes")
	case variableRE.MatchString(target):
		return no("the address begins with the name of a variable")
	}
	return nil
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

var (
	// variableRE is a line of a shell's or an .env file.
	variableRE = regexp.MustCompile(`^(export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=\s*["']?[A-Za-z][A-Za-z0-9+.-]*:`)
	// schemeRE is a scheme as RFC 3986 has it, of two letters or more: one is a drive.
	schemeRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+-]+:`)
	// dsnRE is the key=value form of PostgreSQL's connection strings.
	dsnRE = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*\s*=`)
	// emptyRE is a setting of that form without a value: what follows would be taken
	// for it.
	emptyRE = regexp.MustCompile(`(^|\s)[A-Za-z_][A-Za-z0-9_]*\s*=\s*([A-Za-z_][A-Za-z0-9_]*\s*=|$)`)
	// serverRE is a setting that only a server has.
	serverRE = regexp.MustCompile(`(?i)(^|\s)(host|hostaddr|port|user|password|dbname|service|sslmode)\s*=`)
)

// schemeOf returns the scheme of an address in lower case, "" for a plain path. The
// key=value form counts as PostgreSQL's.
func schemeOf(target string) string {
	if dsnRE.MatchString(target) && serverRE.MatchString(target) {
		return "postgres"
	}
	return strings.ToLower(strings.TrimSuffix(schemeRE.FindString(target), ":"))
}

func parseDSN(target string) (Address, error) {
	if emptyRE.MatchString(target) {
		return Address{}, refuse("postgres:…", "a setting has no value, so that the one after it would be taken for it", "write key=value, or key='' for none")
	}
	return Address{Kind: Postgres, URL: target}, nil
}

// known are schemes that people try. Another may be the beginning of a secret.
var known = []string{"http", "https", "mysql", "mariadb", "sqlite", "sqlite3", "redis", "mongodb", "qdrant", "jdbc", "memory", "pgx", "cockroachdb", "sqlserver"}

func shown(scheme string) string {
	if slices.Contains(known, scheme) {
		return scheme + ":…"
	}
	return "…"
}

func named(scheme string) string {
	if slices.Contains(known, scheme) {
		return fmt.Sprintf(" %q", scheme)
	}
	return ""
}

// words are not files' names, though they could be: they are what was meant to be
// an address.
var words = map[string]string{
	"mem": "mem:", "memory": "mem:", ":memory:": "mem:", "file": "file:vectors.db", "postgres": "postgres://…",
	"postgresql": "postgres://…", "iris": "iris://…", "pgvector": "postgres://…",
}

// parsePath reads a plain path.
func parsePath(path string) (Address, error) {
	if meant, ok := words[strings.ToLower(path)]; ok {
		return Address{}, refuse("…", "it is not a file's name, but a part of an address", "write "+meant)
	}
	for _, sign := range []struct{ text, why string }{
		{"://", "it has :// in it, as a URL with a scheme that is not known"},
		{"@", "it has @ in it, as an address with a user's name"},
		{"?", "it has ? in it: a plain path takes no parameters"},
		{"=", "it has = in it, as the settings of a server"},
	} {
		if strings.Contains(path, sign.text) {
			return Address{}, refuse("…", sign.why, fileRemedy)
		}
	}
	return Address{Path: path}, nil
}

// parseFile reads what follows file:.
func parseFile(rest string) (Address, error) {
	no := func(why, remedy string) (Address, error) { return Address{}, refuse("file:…", why, remedy) }
	const form = "write file:path or file:///path"
	path, query, _ := strings.Cut(rest, "?")
	if host, ok := strings.CutPrefix(path, "//"); ok {
		if path = strings.TrimPrefix(host, "localhost"); !strings.HasPrefix(path, "/") {
			return no("the URL names a host", form)
		}
	}
	if strings.Contains(path, "://") {
		return no("another URL follows the scheme", form)
	}
	path, err := url.PathUnescape(path)
	if err != nil || path == "" || strings.ContainsFunc(path, unicode.IsControl) || !utf8.ValidString(path) {
		return no("the URL has no path", form)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return no("the URL's parameters cannot be read", form)
	}
	const parameters = "write ?sync=full or ?sync=normal, or ?mode=ro"
	a := Address{Path: path}
	for key, value := range values {
		switch {
		case key != "sync" && key != "mode" || len(value) != 1:
			return no("it has a parameter that is not known, or has one twice: there are sync and mode", parameters)
		case key == "mode" && value[0] == "ro":
			a.ReadOnly = true
		case key == "mode" && value[0] != "rw":
			return no("the parameter mode is neither ro nor rw", parameters)
		case key == "mode":
		case value[0] == "normal":
			a.SyncNormal = true
		case value[0] != "full":
			return no("sync is neither full nor normal", parameters)
		}
	}
	return a, nil
}
