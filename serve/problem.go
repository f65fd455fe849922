package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/codec"
)

// problem is what an answer says of an error, in the form of RFC 9457. It is an
// error itself.
type problem struct {
	Type      string   `json:"type"`  // urn:vecwire:problem: and a word that programs can go by
	Title     string   `json:"title"` // what the type means, always the same
	Status    int      `json:"status"`
	Detail    string   `json:"detail,omitempty"`
	RequestID string   `json:"request_id,omitempty"` // as in the log
	Errors    []detail `json:"errors,omitempty"`

	retry int   // seconds after which the caller may try again, 0 to say nothing
	cause error // for the log alone
}

// detail is one thing that is wrong with a request.
type detail struct {
	Pointer   string `json:"pointer,omitempty"`   // where in the body, as a JSON pointer
	Parameter string `json:"parameter,omitempty"` // which parameter of the URL
	Index     *int   `json:"index,omitempty"`     // which record, from 0
	ID        string `json:"id,omitempty"`        // its ID, if that is known
	Want      string `json:"want,omitempty"`
	Got       string `json:"got,omitempty"`
	Detail    string `json:"detail,omitempty"`
}

func (d detail) String() string {
	place := d.Pointer
	if d.Parameter != "" {
		place = "parameter " + d.Parameter
	}
	if place == "" {
		place = "the value"
	}
	if d.Detail != "" {
		return strings.TrimPrefix(place+": ", "the value: ") + d.Detail
	}
	return fmt.Sprintf("%s is %s, want %s", place, d.Got, d.Want)
}

func (p *problem) Error() string { return p.Title + ": " + p.Detail }

func (p *problem) Unwrap() error { return p.cause }

// The types of problems, by the word in their URN. The OpenAPI document lists them.
var problemTitles = map[string]string{
	"malformed":       "The request cannot be read",
	"invalid":         "A value of the request is not what it must be",
	"unauthorized":    "The request needs a token",
	"forbidden":       "The token does not allow this",
	"misdirected":     "The request is addressed by a name, or comes from a page, that this server does not serve",
	"not-found":       "There is no such thing",
	"not-allowed":     "The path does not have this method",
	"exists":          "There is one already",
	"conflict":        "The collection is another one",
	"condition":       "The record does not pass the condition",
	"too-large":       "The request is too large",
	"media-type":      "The body has another media type",
	"too-many":        "The token has made too many requests",
	"busy":            "The server has too many requests at a time",
	"internal":        "The server failed",
	"unsupported":     "The database cannot do this",
	"embedder":        "The embedding model failed",
	"unavailable":     "The database cannot be reached",
	"timeout":         "The request took too long",
	"too-slow":        "The body came too slowly",
	"outcome-unknown": "It is unknown whether the request was done",
}

func newProblem(status int, word, format string, args ...any) *problem {
	return &problem{Type: "urn:vecwire:problem:" + word, Title: problemTitles[word], Status: status, Detail: fmt.Sprintf(format, args...)}
}

func malformed(msg string) *problem { return newProblem(http.StatusBadRequest, "malformed", "%s", msg) }

// invalid reports a value of the body.
func invalid(pointer, want, got string) *problem {
	return ofDetails(detail{Pointer: pointer, Want: want, Got: got})
}

// invalidParameter reports a parameter of the URL.
func invalidParameter(name, want, got string) *problem {
	return ofDetails(detail{Parameter: name, Want: want, Got: got})
}

func ofDetails(details ...detail) *problem {
	p := newProblem(http.StatusBadRequest, "invalid", "")
	p.Errors = details
	p.Detail = details[0].String()
	return p
}

// within puts the place of a value before the places in it.
func within(pointer string, err error) error {
	p, ok := errors.AsType[*problem](err)
	if !ok || len(p.Errors) == 0 {
		return err
	}
	for i := range p.Errors {
		p.Errors[i].Pointer = pointer + p.Errors[i].Pointer
	}
	p.Detail = p.Errors[0].String()
	return p
}

// at makes an error of the library about one value a problem of its place.
func at(pointer string, err error) error {
	if err == nil {
		return nil
	}
	return problemOf(err, func(string) string { return pointer })
}

// places tells where in a request the thing stands that an error of the library
// names: a field, or an option of a query.
type places func(name string) string

// inRecord places the names of a record's parts.
func inRecord(name string) string {
	switch name {
	case "id", "vector", "text", "vectors":
		return "/" + name
	}
	if vector, ok := strings.CutPrefix(name, "vectors."); ok {
		return "/vectors/" + pointerOf(vector)
	}
	return "/fields/" + pointerOf(name)
}

// inQuery places the names of a query's parts. What is no option of a query is a
// field that the filter compares.
func inQuery(name string) string {
	if to, ok := queryOptions[name]; ok {
		return to
	}
	return "/filter"
}

var queryOptions = map[string]string{
	"K": "/k", "After": "/after", "Effort": "/effort", "Candidates": "/candidates", "GroupSize": "/group_size", "Diversity": "/diversity",
	"MinScore": "/min_score", "Text": "/text", "Vector": "/vector", "vector": "/vector", "Away": "/away", "away": "/away", "Rescore": "/rescore",
	"Around": "/around", "AroundTokens": "/around_tokens", "In": "/in",
	"Fusion.K": "/fusion/k", "Fusion.VectorWeight": "/fusion/vector_weight", "Fusion.TextWeight": "/fusion/text_weight",
}

// problemOf makes a problem of any error. A route without places names none. What it says is made of the error's
// parts, never of its text, which may have names, paths and SQL that are not the
// caller's; the text goes to the log.
func problemOf(err error, where places) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if where == nil {
		where = func(string) string { return "" }
	}
	p := classify(err, where)
	p.cause = err
	return p
}

func classify(err error, where places) *problem {
	if batch, ok := errors.AsType[*vecwire.BatchError](err); ok {
		// Of one record, what is wrong decides.
		if len(batch.Failed) == 1 && batch.Total == 1 {
			return classify(batch.Failed[0].Err, where)
		}
		details := make([]detail, 0, len(batch.Failed))
		for _, f := range batch.Failed {
			details = append(details, recordDetail(f))
		}
		if len(details) > 0 {
			return ofDetails(details...)
		}
	}
	if record, ok := errors.AsType[*vecwire.RecordError](err); ok {
		return ofDetails(recordDetail(*record))
	}
	if details := valueDetails(err, where); details != nil {
		p := ofDetails(details...)
		if errors.Is(err, vecwire.ErrModelMismatch) {
			p.Type, p.Title, p.Status = "urn:vecwire:problem:conflict", problemTitles["conflict"], http.StatusConflict
		}
		return p
	}
	switch {
	case errors.Is(err, vecwire.ErrNotFound):
		return newProblem(http.StatusNotFound, "not-found", "there is no such collection, index or record")
	case errors.Is(err, vecwire.ErrConflict):
		return newProblem(http.StatusPreconditionFailed, "condition", "the record was left as it is")
	case errors.Is(err, vecwire.ErrExists):
		return newProblem(http.StatusConflict, "exists", "there is one of that name already")
	case errors.Is(err, vecwire.ErrModelMismatch):
		return newProblem(http.StatusConflict, "conflict", "the collection's vectors are of another model than the server's embedder")
	case errors.Is(err, vecwire.ErrUnsupported):
		return newProblem(http.StatusUnprocessableEntity, "unsupported", "the database's engine cannot do this: GET /v1/server lists what it can")
	case errors.Is(err, vecwire.ErrOutcomeUnknown):
		return newProblem(http.StatusInternalServerError, "outcome-unknown", "the connection to the database was lost while the request was being stored: read to find out")
	case errors.Is(err, vecwire.ErrClosed):
		return retryAfter(newProblem(http.StatusServiceUnavailable, "unavailable", "the server is about to end"))
	case errors.Is(err, context.DeadlineExceeded):
		return newProblem(http.StatusGatewayTimeout, "timeout", "the request took longer than the server allows")
	case errors.Is(err, context.Canceled):
		return newProblem(statusClientClosed, "timeout", "the caller went away")
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return newProblem(http.StatusRequestEntityTooLarge, "too-large", "the body has more than %d bytes", tooLarge.Limit)
	}
	if _, ok := errors.AsType[*vecwire.EmbedError](err); ok {
		return newProblem(http.StatusBadGateway, "embedder", "the embedding model did not give vectors for the texts; the log has the reason")
	}
	if _, ok := errors.AsType[*vecwire.ConnectError](err); ok {
		return retryAfter(newProblem(http.StatusServiceUnavailable, "unavailable", "the database does not answer"))
	}
	return newProblem(http.StatusInternalServerError, "internal", "the log has the reason under the request's ID")
}

// statusClientClosed is nginx's number for a request whose caller has gone. It is
// seen in logs and metrics only.
const statusClientClosed = 499

func retryAfter(p *problem) *problem {
	p.retry = 1
	return p
}

// valueDetails says what the typed errors about a value say, nil for other errors.
func valueDetails(err error, where places) []detail {
	var schema *vecwire.SchemaError
	var value *vecwire.ValueError
	var dimension *vecwire.DimensionError
	var element *vecwire.ElementError
	var filter *vecwire.FilterError
	switch {
	case errors.As(err, &value):
		place := where(value.Field)
		if value.Pos >= 0 {
			place = fmt.Sprintf("%s/%d", place, value.Pos)
		}
		if strings.HasPrefix(place, "/filter") {
			return []detail{{Pointer: place, Detail: fmt.Sprintf("the field %q is compared with %s, and holds %s", value.Field, value.Got, value.Want)}}
		}
		want := value.Want
		switch value.Field {
		case "Text":
			want = "a text where words are searched for, none beside a vector"
		case "After":
			want = "the next of an answer to a query with the same vector, text, away and in"
		}
		return []detail{{Pointer: place, Want: want, Got: value.Got}}
	case errors.As(err, &dimension) && dimension.Got == 0:
		return []detail{{Pointer: where("vector"), Detail: "there is no vector, and no embedder here that makes one of the text"}}
	case errors.As(err, &dimension):
		return []detail{{Pointer: where("vector"), Want: fmt.Sprintf("%d numbers", dimension.Want), Got: fmt.Sprintf("%d", dimension.Got)}}
	case errors.As(err, &element):
		return []detail{{Pointer: where("vector"), Want: element.Want.String() + " elements", Got: element.Got.String()}}
	case errors.As(err, &filter):
		place := where("filter")
		switch {
		case filter.Field != "":
			return []detail{{Pointer: place, Detail: fmt.Sprintf("field %q: %s", filter.Field, filter.Msg)}}
		case filter.Offset >= 0:
			return []detail{{Pointer: place, Detail: fmt.Sprintf("at byte %d: %s", filter.Offset, filter.Msg)}}
		}
		return []detail{{Pointer: place, Detail: filter.Msg}}
	case errors.As(err, &schema):
		place := ""
		if schema.Field != "" {
			place = where(schema.Field)
		}
		return []detail{{Pointer: place, Detail: schemaDetail(schema)}}
	}
	return nil
}

// schemaDetail says what is wrong with a schema, or with a field that it lacks.
func schemaDetail(e *vecwire.SchemaError) string {
	if e.Field != "" {
		return fmt.Sprintf("field %q %s", e.Field, e.Msg)
	}
	return e.Msg
}

// recordDetail says why a record was refused.
func recordDetail(e vecwire.RecordError) detail {
	index := e.Index
	d := detail{Index: &index, ID: e.ID}
	details := valueDetails(e.Err, inRecord)
	if details == nil {
		if p, ok := errors.AsType[*problem](e.Err); ok {
			if d.Detail = p.Detail; len(p.Errors) == 1 {
				d.Pointer, d.Want, d.Got, d.Detail = p.Errors[0].Pointer, p.Errors[0].Want, p.Errors[0].Got, p.Errors[0].Detail
			}
		} else if syntax, ok := errors.AsType[*codec.SyntaxError](e.Err); ok {
			d.Pointer, d.Detail = inRecord("vector"), "the list of numbers is broken: "+syntax.Error()
		} else {
			p := classify(e.Err, inRecord)
			d.Detail = p.Detail
			if p.Status == http.StatusInternalServerError {
				d.Detail = "not a record: want one JSON object in UTF-8 with id, and vector or text"
			}
		}
		return d
	}
	d.Pointer, d.Want, d.Got, d.Detail = details[0].Pointer, details[0].Want, details[0].Got, details[0].Detail
	return d
}

// write sends the problem.
func (p *problem) write(w http.ResponseWriter, requestID string) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Del("Content-Length")
	if p.retry > 0 {
		h.Set("Retry-After", fmt.Sprint(p.retry))
	}
	out := *p
	out.RequestID = requestID
	body, _ := json.Marshal(out) // of strings and numbers it cannot fail
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // to a caller that may have gone
}
