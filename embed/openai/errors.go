package openai

import "github.com/vecwire/vecwire/internal/httpmodel"

// StatusError is an answer that says that the call failed. Some servers say so with
// status 200. It has the fields
//
//	Status  int           // the HTTP status
//	Code    string        // the server's code or type of the error, such as "invalid_api_key"; "" if it gave none
//	Message string        // what the server said, shortened, without the key
//	After   time.Duration // how long it asks the caller to wait; 0 if it does not
//
// It may be retried (see [embed.Temporary]) for 408, 425, 429 and 5xx but 501 and
// 505, and for codes of rate limits and overload with any status, but not if the
// account's money is used up.
//
// [embed.Temporary]: https://pkg.go.dev/github.com/vecwire/vecwire/embed#Temporary
type StatusError = httpmodel.StatusError

// AnswerError is an answer of status 200 that cannot be read as vectors: it was cut
// off, is too large, or is not of this API. It has the fields
//
//	Reason string
//	CutOff bool // whether the answer ended too early; then it may be retried
type AnswerError = httpmodel.AnswerError

// TransportError says that the server was not reached, that the connection was lost,
// or that no answer came in time. It has the field
//
//	Err error
//
// It may be retried unless the server's name does not exist or its certificate is
// bad.
type TransportError = httpmodel.TransportError
