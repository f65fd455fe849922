package cohere

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/vecwire/vecwire/rerank"
)

// StatusError is an answer of the server that says that it failed.
type StatusError struct {
	Status  int           // the HTTP status
	Message string        // what the server said, shortened, without the key
	After   time.Duration // how long it asks to wait; 0 if it does not
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("server answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Retryable says whether the call may be made again, and after how long: for 408,
// 425, 429, and 5xx but for 501 and 505.
func (e *StatusError) Retryable() (time.Duration, bool) {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return e.After, true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return 0, false
	}
	return e.After, e.Status >= 500
}

// AnswerError is an answer that cannot be read as scores: cut off, too large, or
// not of this API.
type AnswerError struct {
	Reason string
	CutOff bool // whether the answer ended too early
}

func (e *AnswerError) Error() string { return "server's answer " + e.Reason }

// Retryable says that a call whose answer was cut off may be made again.
func (e *AnswerError) Retryable() (time.Duration, bool) { return 0, e.CutOff }

// TransportError says that the server was not reached, the connection was lost, or
// no answer came in time.
type TransportError struct {
	Err error
}

func (e *TransportError) Error() string { return "server not reached: " + e.Err.Error() }

// Unwrap returns Err.
func (e *TransportError) Unwrap() error { return e.Err }

// Retryable says that the call may be made again, unless the name of the server
// does not exist or its certificate is bad.
func (e *TransportError) Retryable() (time.Duration, bool) {
	if dns, ok := errors.AsType[*net.DNSError](e.Err); ok && dns.IsNotFound {
		return 0, false
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](e.Err); ok {
		return 0, false
	}
	if _, ok := errors.AsType[x509.HostnameError](e.Err); ok {
		return 0, false
	}
	return 0, !errors.Is(e.Err, context.Canceled)
}

var _, _, _ rerank.Temporary = (*StatusError)(nil), (*AnswerError)(nil), (*TransportError)(nil)
