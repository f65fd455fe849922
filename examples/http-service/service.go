package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

const (
	maxBody    = 8 << 20
	maxK       = 1000
	maxRecords = 1000
	timeout    = 30 * time.Second
)

// service answers the requests.
type service struct {
	db     *vecwire.DB
	docs   *vecwire.Collection
	places chan struct{} // one for each request that is being answered
	log    *slog.Logger
}

func newService(db *vecwire.DB, c *vecwire.Collection, concurrency int, log *slog.Logger) http.Handler {
	s := &service{db: db, docs: c, places: make(chan struct{}, max(1, concurrency)), log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("POST /search", answer(s, s.search))
	mux.HandleFunc("POST /upsert", answer(s, s.upsert))
	return mux
}

func (s *service) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.docs.Get(ctx, "healthz"); err != nil { // cheap, whether it is there or not
		s.log.Error("not healthy", "err", err)
		s.fail(w, &requestError{Status: http.StatusServiceUnavailable, Code: "unhealthy", Message: "the database does not answer"})
		return
	}
	write(w, http.StatusOK, map[string]any{"status": "ok", "engine": s.db.Capabilities().Engine})
}

type searchRequest struct {
	Vector []float32 `json:"vector"`
	Text   string    `json:"text"`
	K      int       `json:"k"`
	Filter string    `json:"filter"` // as filter.Parse reads it: lang == "en" && year >= 2020
}

type hit struct {
	ID     string         `json:"id"`
	Score  float64        `json:"score"`
	Text   string         `json:"text,omitempty"`
	Fields vecwire.Fields `json:"fields,omitempty"`
}

func (s *service) search(ctx context.Context, in searchRequest) (any, error) {
	if in.K < 0 || in.K > maxK {
		return nil, badRequest("k", fmt.Sprintf("is %d, want 1 to %d, or 0 for %d", in.K, maxK, vecwire.DefaultK))
	}
	q := vecwire.Query{Vector: in.Vector, Text: in.Text, K: in.K}
	if in.Filter != "" {
		var err error
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

type upsertRequest struct {
	Records []struct {
		ID     string         `json:"id"`
		Vector []float32      `json:"vector"`
		Text   string         `json:"text"`
		Fields vecwire.Fields `json:"fields"`
	} `json:"records"`
}

func (s *service) upsert(ctx context.Context, in upsertRequest) (any, error) {
	if len(in.Records) > maxRecords {
		return nil, badRequest("records", fmt.Sprintf("has %d, want at most %d", len(in.Records), maxRecords))
	}
	records := make([]vecwire.Record, len(in.Records))
	for i, r := range in.Records {
		records[i] = vecwire.Record{ID: r.ID, Vector: r.Vector, Text: r.Text, Fields: r.Fields}
	}
	if err := s.docs.Upsert(ctx, records...); err != nil {
		return nil, err
	}
	return map[string]any{"stored": len(records)}, nil
}

// answer reads a request, answers it within the limits, and writes the answer.
func answer[In any](s *service, do func(context.Context, In) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case s.places <- struct{}{}:
			defer func() { <-s.places }()
		default:
			w.Header().Set("Retry-After", "1")
			s.fail(w, &requestError{Status: http.StatusServiceUnavailable, Code: "busy", Message: "too many requests at a time"})
			return
		}
		var in In
		body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		body.DisallowUnknownFields()
		if err := body.Decode(&in); err != nil {
			if _, large := errors.AsType[*http.MaxBytesError](err); large {
				err = &requestError{Status: http.StatusRequestEntityTooLarge, Code: "too_large", Message: fmt.Sprintf("the body has more than %d bytes", maxBody)}
			} else {
				err = badRequest("", "the body is not the JSON that is wanted: "+err.Error())
			}
			s.fail(w, err)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), timeout)
		defer cancel()
		out, err := do(ctx, in)
		if err != nil {
			s.fail(w, err)
			return
		}
		write(w, http.StatusOK, out)
	}
}

// requestError is what a client is told.
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

// explain turns the library's errors into what a client is told. What is the
// server's own trouble is in the log, and not told.
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
	if e.Status >= http.StatusInternalServerError {
		s.log.Error("request failed", "err", err)
	}
	write(w, e.Status, map[string]any{"error": e})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client has gone
}
