package serve

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire/filter"
)

// endpoint answers the requests of one route: it admits the caller, runs the
// route's function, and writes down what came of it.
type endpoint struct {
	s     *server
	route *route
}

// call is a request that is being answered.
type call struct {
	*server
	route      *route
	w          *answer
	r          *http.Request
	ctx        context.Context // ends with the request, and after Limits.Time unless the route is long
	begun      time.Time
	id         string
	who        *caller
	namespace  string
	query      values      // the parameters of the URL, nil for none
	room       *scratch    // nil until it is needed
	connection *connection // nil where the server does not know it
}

// answer is a response that knows what was sent.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	begin := time.Now()
	made := &struct { // in one piece, as every request needs all of them
		call   call
		answer answer
		time   deadline
		id     [1]string
	}{answer: answer{ResponseWriter: w}, id: [1]string{e.s.ids.of(r)}}
	c := &made.call
	*c = call{server: e.s, route: e.route, w: &made.answer, r: r, ctx: r.Context(), begun: begin, id: made.id[0]}
	if !e.route.long {
		made.time.Context, made.time.at = c.ctx, begin.Add(e.s.o.Limits.Time)
		c.ctx = &made.time
		defer made.time.end()
	}
	w.Header()["X-Request-Id"] = made.id[:]
	c.connection, _ = r.Context().Value(connectionKey{}).(*connection)
	e.s.metrics.begin()
	err := c.run()
	cutOff := err != nil && c.w.status != 0
	if err != nil && !cutOff {
		problemOf(err, c.route.where).write(c.w, c.id)
	}
	c.room.release()
	took := time.Since(begin)
	if c.connection != nil {
		c.connection.answered.Store(int64(begin.Add(took).Sub(started)))
	}
	e.s.metrics.end(e.route, c.w.status, c.w.bytes, took)
	c.log(err, cutOff, took)
	if cutOff {
		// A part was sent already. net/http takes this for the wish to cut the
		// connection, so that the caller does not take the part for the whole.
		panic(http.ErrAbortHandler)
	}
}

// run answers the request, or returns why not.
func (c *call) run() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, debug.Stack()}
		}
	}()
	if asked, err := c.guard.admit(c.w, c.r); asked || err != nil {
		return err
	}
	if !c.route.open {
		if c.who, err = c.guard.identify(c.r); err != nil {
			c.w.Header().Set("WWW-Authenticate", "Bearer")
			return err
		}
		if err := c.who.spend(c.begun); err != nil {
			return err
		}
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
		default:
			return retryAfter(newProblem(http.StatusServiceUnavailable, "busy", "try again in a second"))
		}
		if err := c.parameters(); err != nil {
			return err
		}
		if c.namespace, err = c.who.may(c.route.scope, c.r.PathValue("collection"), get[string](c.query, "namespace")); err != nil {
			return err
		}
	}
	if c.route.long {
		c.untimed()
		defer c.untimed() // the connection's next request may be on a server without deadlines
	}
	return c.route.serve(c)
}

// parameters reads the parameters of the URL, and refuses those that the route
// does not have.
func (c *call) parameters() error {
	if c.r.URL.RawQuery == "" {
		return nil
	}
	c.query = values{}
	given, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return malformed("the query of the URL cannot be read")
	}
	for name, all := range given {
		i := slices.IndexFunc(c.route.params, func(p param) bool { return p.name == name })
		if i < 0 {
			return invalidParameter(pointerOf(name), "no such parameter", "one")
		}
		if len(all) > 1 {
			return invalidParameter(name, "the parameter once", fmt.Sprintf("%d times", len(all)))
		}
		if c.query[name], err = c.route.params[i].read(all[0]); err != nil {
			return err
		}
	}
	return nil
}

// read reads a parameter of the URL by its shape.
func (p param) read(s string) (any, error) {
	switch p.shape.kind {
	case whole:
		if n, err := strconv.ParseInt(s, 10, 64); err == nil && p.shape.min <= n && (p.shape.max == 0 || n <= p.shape.max) {
			return n, nil
		}
	case boolean:
		if s == "true" || s == "false" {
			return s == "true", nil
		}
	case condition:
		var f filter.Filter
		var err error
		if len(s) > 0 && s[0] == '{' {
			f, err = filter.FromJSON([]byte(s))
		} else {
			f, err = filter.Parse(s)
		}
		if bad, ok := errors.AsType[*problem](at("", err)); ok {
			for i := range bad.Errors {
				bad.Errors[i].Pointer, bad.Errors[i].Parameter = "", p.name
			}
			bad.Detail = bad.Errors[0].String()
			return nil, bad
		}
		return f, nil
	default:
		if err := filter.CheckString(p.name, s); err == nil && p.shape.allows(s) {
			return s, nil
		}
	}
	return nil, invalidParameter(p.name, p.shape.want(), describe([]byte(s)))
}

// body reads the body by the route's shape. What it returns refers to a buffer that
// others use when the call has ended.
func (c *call) body() (values, error) {
	if err := c.mediaType("application/json"); err != nil {
		return nil, err
	}
	if c.r.ContentLength > c.o.Limits.Body {
		return nil, &http.MaxBytesError{Limit: c.o.Limits.Body}
	}
	b := &c.scratch().body
	if n := c.r.ContentLength; n > 0 {
		b.Grow(int(min(n, keptBuffer)) + bytes.MinRead)
	}
	in := pace{from: http.MaxBytesReader(c.w, c.r.Body, c.o.Limits.Body), c: c, while: min(c.o.Limits.Stall, maxPatience), rate: c.o.Limits.Rate}
	if _, err := b.ReadFrom(&in); err != nil {
		return nil, unread(err)
	}
	c.waitTurn()
	v, err := parse(b.Bytes(), c.route.body)
	if err != nil {
		return nil, err
	}
	object, _ := v.(values)
	return object, nil
}

// mediaType checks the type of the body. That it must be given keeps forms of pages
// elsewhere out, which cannot send these.
func (c *call) mediaType(types ...string) error {
	if encoding := c.r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return newProblem(http.StatusUnsupportedMediaType, "media-type", "send the body as it is, without the header Content-Encoding: nothing is decompressed here")
	}
	header := c.r.Header.Get("Content-Type")
	if slices.Contains(types, header) { // as most are
		return nil
	}
	given, _, err := mime.ParseMediaType(header)
	if err != nil || !slices.Contains(types, given) {
		return newProblem(http.StatusUnsupportedMediaType, "media-type", "send the header Content-Type: %s", types[0])
	}
	return nil
}

// untimed lets the answer come as late as it may. Deadlines of the server's are for
// answers that are quick; a server that cannot change them keeps them.
func (c *call) untimed() { _ = http.NewResponseController(c.w).SetWriteDeadline(time.Time{}) }

// stalling gives the client of a stream Limits.Stall to take what is sent next.
func (c *call) stalling() {
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(c.o.Limits.Stall))
}

// json sends a body of JSON.
func (c *call) json(status int, body []byte) error {
	h := c.w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	h["X-Content-Type-Options"] = noSniff
	h["Cache-Control"] = noStore
	c.w.WriteHeader(status)
	_, _ = c.w.Write(body) // to a caller that may have gone
	return nil
}

var (
	jsonType = []string{"application/json"}
	noSniff  = []string{"nosniff"}
	noStore  = []string{"no-store"}
)

// panicError is a panic of a handler, of the database, or of an embedder.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v\n%s", p.value, p.stack) }

// log writes the request down. It has no query, record or token in it.
func (c *call) log(err error, cutOff bool, took time.Duration) {
	level := slog.LevelInfo
	if !c.o.Logger.Enabled(c.ctx, level) {
		return
	}
	attrs := append(make([]slog.Attr, 0, 10), slog.String("id", c.id), slog.String("method", c.r.Method), slog.String("route", c.route.path))
	if name := c.r.PathValue("collection"); name != "" {
		attrs = append(attrs, slog.String("collection", pointerOf(name)))
	}
	if c.who != nil {
		attrs = append(attrs, slog.String("token", c.who.Name))
	}
	attrs = append(attrs, slog.Int("status", c.w.status), slog.Int64("bytes", c.w.bytes), slog.Duration("took", took))
	if err != nil {
		if p := problemOf(err, c.route.where); p.Status >= http.StatusInternalServerError || cutOff {
			level = slog.LevelError
			attrs = append(attrs, slog.String("error", err.Error()))
			if p.cause != nil {
				attrs[len(attrs)-1] = slog.String("error", p.cause.Error())
			}
		} else {
			attrs = append(attrs, slog.String("problem", p.Type))
		}
	}
	c.o.Logger.LogAttrs(c.ctx, level, "request", attrs...)
}
