package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

const (
	maxK    = 1000
	timeout = 30 * time.Second
)

// service answers the requests.
type service struct {
	db     *vecwire.DB
	docs   *vecwire.Collection
	dim    int
	places chan struct{} // one for each request that is being answered
	memory memory
	log    *slog.Logger
}

// newService serves a collection. Requests are answered for the names of hosts that
// are given, for localhost and for addresses.
func newService(db *vecwire.DB, c *vecwire.Collection, concurrency int, hosts []string, log *slog.Logger) http.Handler {
	s := &service{db: db, docs: c, dim: c.Schema().Dim, places: make(chan struct{}, max(1, concurrency)), log: log}
	s.memory.left.Store(maxBuffered)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("POST /search", s.answer(s.search))
	mux.HandleFunc("POST /upsert", s.answer(s.upsert))
	return s.guard(hosts, mux)
}

// guard refuses what a web page elsewhere could make a browser send: a request for a
// name that has been pointed here (DNS rebinding), and one of another origin.
func (s *service) guard(hosts []string, next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !ours(r.Host, hosts) {
			s.fail(w, &requestError{Status: http.StatusMisdirectedRequest, Code: "unknown_host", Message: "the host is not served here: name it with -host"})
			return
		}
		if err := origins.Check(r); err != nil {
			s.fail(w, &requestError{Status: http.StatusForbidden, Code: "cross_origin", Message: "a page of another origin may not ask"})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// ours reports whether the host of a request is served: a name that was given,
// localhost, or an address, which no other name can stand for.
func ours(host string, hosts []string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return strings.EqualFold(host, "localhost") || slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(host, h) })
}

func (s *service) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.docs.Get(ctx, "healthz"); err != nil { // cheap, whether it is there or not
		s.log.Error("not healthy", "err", err)
		s.fail(w, &requestError{Status: http.StatusServiceUnavailable, Code: "unhealthy", Message: "the database does not answer"})
		return
	}
	text, _ := json.Marshal(map[string]any{"status": "ok", "engine": s.db.Capabilities().Engine})
	write(w, http.StatusOK, text)
}

type hit struct {
	ID     string         `json:"id"`
	Score  float64        `json:"score"`
	Text   string         `json:"text,omitempty"`
	Fields vecwire.Fields `json:"fields,omitempty"`
}

func (s *service) search(ctx context.Context, body []byte) (any, error) {
	var in struct {
		Vector json.RawMessage `json:"vector"`
		Text   string          `json:"text"`
		K      int             `json:"k"`
		Filter string          `json:"filter"` // as filter.Parse reads it: lang == "en" && year >= 2020
	}
	if err := decode(body, func(d *json.Decoder) error { return d.Decode(&in) }); err != nil {
		return nil, err
	}
	if in.K < 0 || in.K > maxK {
		return nil, badRequest("k", fmt.Sprintf("k is %d, want 1 to %d, or 0 for %d", in.K, maxK, vecwire.DefaultK))
	}
	q := vecwire.Query{Text: in.Text, K: in.K}
	var err error
	if q.Vector, err = vector(in.Vector, s.dim); err != nil {
		return nil, err
	}
	if in.Filter != "" {
		if q.Filter, err = filter.Parse(in.Filter); err != nil {
			return nil, err
		}
	}
	found, err := s.docs.Search(ctx, q)
	if err != nil {
		return nil, err
	}
	hits := make([]hit, len(found))
	for i, h := range found {
		hits[i] = hit{h.ID, h.Score, h.Text, h.Fields}
	}
	return map[string]any{"hits": hits}, nil
}

func (s *service) upsert(ctx context.Context, body []byte) (any, error) {
	var records []vecwire.Record
	err := decode(body, func(d *json.Decoder) error { return s.records(d, &records) })
	if err != nil {
		return nil, err
	}
	if err := s.docs.Upsert(ctx, records...); err != nil {
		return nil, err
	}
	return map[string]any{"stored": len(records)}, nil
}

// records reads {"records": […]} one record after another, so that a body of many
// small ones is refused before they take memory.
func (s *service) records(d *json.Decoder, records *[]vecwire.Record) error {
	for _, want := range []json.Token{json.Delim('{'), "records", json.Delim('[')} {
		if t, err := d.Token(); err != nil || t != want {
			return cmp.Or(err, fmt.Errorf(`it is not {"records": […]}`))
		}
	}
	for d.More() {
		if len(*records) == maxRecords {
			return badRequest("records", fmt.Sprintf("records has more than %d", maxRecords))
		}
		r, err := record(d, s.dim)
		if err != nil {
			return err
		}
		*records = append(*records, r)
	}
	for _, want := range []json.Token{json.Delim(']'), json.Delim('}')} {
		if t, err := d.Token(); err != nil || t != want {
			return cmp.Or(err, fmt.Errorf(`it has more than "records"`))
		}
	}
	return nil
}

var errBusy = &requestError{Status: http.StatusServiceUnavailable, Code: "busy", Message: "too many requests at a time"}

// answer reads a request, answers it within the limits, and writes the answer. A
// request has a place while it is being answered, and neither while it is read nor
// while its answer is written: slow clients hold none.
func (s *service) answer(do func(context.Context, []byte) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, release, err := s.memory.read(w, r)
		var out any
		if err == nil {
			out, err = s.place(r.Context(), body, do)
		}
		release()
		var text []byte
		if err == nil {
			text, err = json.Marshal(out)
		}
		if err == nil && !s.memory.take(len(text)) { // slow clients may hold many answers
			err = errBusy
		}
		if err != nil {
			s.fail(w, err)
			return
		}
		defer s.memory.left.Add(int64(len(text)))
		write(w, http.StatusOK, text)
	}
}

// place takes a place and answers the request.
func (s *service) place(ctx context.Context, body []byte, do func(context.Context, []byte) (any, error)) (any, error) {
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	default:
		return nil, errBusy
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return do(ctx, body)
}

// A requestError is an answer that a client is given.
type requestError struct {
	Status  int             `json:"-"`
	Code    string          `json:"code"`
	Message string          `json:"message"`
	Field   string          `json:"field,omitempty"`
	Records []refusedRecord `json:"records,omitempty"`
}

type refusedRecord struct {
	ID      string `json:"id"`
	Index   int    `json:"index"`
	Message string `json:"message"`
}

func (e *requestError) Error() string { return e.Message }

func badRequest(field, message string) error {
	return &requestError{Status: http.StatusBadRequest, Code: "bad_request", Field: field, Message: message}
}

// explain turns the library's errors into answers. The server's own trouble is in
// its log, and is not told.
func explain(err error) *requestError {
	out := &requestError{Status: http.StatusBadRequest, Code: "bad_request", Message: err.Error()}
	if own, ok := errors.AsType[*requestError](err); ok {
		return own
	}
	if batch, ok := errors.AsType[*vecwire.BatchError](err); ok {
		out.Code, out.Message = "records_refused", fmt.Sprintf("%d of %d records refused, none stored", len(batch.Failed), batch.Total)
		for _, r := range batch.Failed {
			out.Records = append(out.Records, refusedRecord{r.ID, r.Index, r.Err.Error()})
		}
		return out
	}
	if value, ok := errors.AsType[*vecwire.ValueError](err); ok {
		out.Field = value.Field
		return out
	}
	if bad, ok := errors.AsType[*vecwire.FilterError](err); ok {
		out.Field = cmp.Or(bad.Field, "filter")
		return out
	}
	if _, ok := errors.AsType[*vecwire.DimensionError](err); ok {
		out.Field = "vector"
		return out
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return &requestError{Status: http.StatusGatewayTimeout, Code: "timeout", Message: "it took too long"}
	}
	return &requestError{Status: http.StatusInternalServerError, Code: "internal", Message: "the server failed; its log says why"}
}

func (s *service) fail(w http.ResponseWriter, err error) {
	e := explain(err)
	if e.Code == errBusy.Code {
		w.Header().Set("Retry-After", "1")
	} else if e.Status >= http.StatusInternalServerError {
		s.log.Error("request failed", "err", err)
	}
	text, _ := json.Marshal(map[string]any{"error": e}) // of strings and numbers only
	write(w, e.Status, text)
}

func write(w http.ResponseWriter, status int, text []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // the client may have gone
}
