package httpmodel

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire/internal/backoff"
	"github.com/vecwire/vecwire/internal/fault"
)

// StatusError is an answer that says that the call failed. Some servers say so with
// status 200.
type StatusError struct {
	Status  int           // the HTTP status
	Code    string        // the server's code or type of the error, such as "invalid_api_key"; "" if it gave none
	Message string        // what the server said, shortened, without the key
	After   time.Duration // how long it asks the caller to wait; 0 if it does not
}

func (e *StatusError) Error() string {
	text := fmt.Sprintf("server answered %d %s", e.Status, http.StatusText(e.Status))
	if e.Status == http.StatusOK {
		text += " and no result"
	}
	if e.Code != "" {
		text += " (" + e.Code + ")"
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Retryable reports whether the call may be made again, and after how long: for 408,
// 425, 429 and 5xx but 501 and 505, and for codes of rate limits and overload with
// any status, but not if the account's money is used up. If an error with status 200
// has no code, its words decide, because nothing else tells a rate limit.
func (e *StatusError) Retryable() (time.Duration, bool) {
	status := e.status()
	switch {
	case e.Code == "insufficient_quota" || e.Code == "billing_hard_limit_reached":
		return 0, false
	case e.limited():
		return e.After, true
	case status == http.StatusNotImplemented || status == http.StatusHTTPVersionNotSupported:
		return 0, false
	}
	return e.After, status >= 500
}

// TextsAtFault reports whether the server may answer a call with other texts: it does
// if it refused the content of the request or failed at it, and not if it refused the
// caller, lacks the model, or is overloaded.
func (e *StatusError) TextsAtFault() bool {
	if e.limited() || e.Code == "insufficient_quota" || e.Code == "billing_hard_limit_reached" {
		return false
	}
	switch e.status() {
	case http.StatusOK, http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity,
		http.StatusFailedDependency, // Text Embeddings Inference, when its model failed
		http.StatusUnavailableForLegalReasons, http.StatusInternalServerError:
		return true
	}
	return false
}

// limited reports whether the server has too much to do for now.
func (e *StatusError) limited() bool {
	switch e.status() {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusOK:
		if e.After > 0 || e.Code == "" && limitWords.MatchString(e.Message) {
			return true
		}
	}
	code := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' || r == '.' {
			return -1
		}
		return r
	}, strings.ToLower(e.Code))
	return limitCodes.MatchString(code)
}

var (
	limitWords = regexp.MustCompile(`(?i)\b(rate.?limit|too many requests|throttl|overloaded|over capacity|temporarily|try again)`)
	limitCodes = regexp.MustCompile(`ratelimit|toomanyrequests|throttl|overloaded|resourceexhausted|unavailable|timeout`)
)

// status returns the HTTP status, or that in the code of an answer of status 200:
// gateways send 200 before their model has answered.
func (e *StatusError) status() int {
	if e.Status == http.StatusOK {
		if code, err := strconv.Atoi(e.Code); err == nil && 400 <= code && code < 600 {
			return code
		}
		if e.Code == "server_error" || e.Code == "internal_error" || e.Code == "internal_server_error" {
			return http.StatusInternalServerError
		}
	}
	return e.Status
}

// AnswerError is an answer of status 200 that cannot be read: it was cut off, is too
// large, or is not of this API.
type AnswerError struct {
	Reason string
	CutOff bool // whether the answer ended too early
}

func (e *AnswerError) Error() string { return "server's answer " + e.Reason }

// Retryable reports that a call whose answer was cut off may be made again.
func (e *AnswerError) Retryable() (time.Duration, bool) { return 0, e.CutOff }

// TransportError says that the server was not reached, that the connection was lost,
// or that no answer came in time.
type TransportError struct {
	Err error
}

func (e *TransportError) Error() string { return "server not reached: " + e.Err.Error() }

// Unwrap returns Err.
func (e *TransportError) Unwrap() error { return e.Err }

// TextsAtFault reports that no text is.
func (e *TransportError) TextsAtFault() bool { return false }

// Retryable reports that the call may be made again, unless the server's name does
// not exist or its certificate is bad.
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

var (
	_, _, _ backoff.Temporary = (*StatusError)(nil), (*AnswerError)(nil), (*TransportError)(nil)
	_, _    fault.Judge       = (*StatusError)(nil), (*TransportError)(nil)
)
