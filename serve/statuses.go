package serve

import (
	"net/http"
	"slices"
	"strings"
)

// refusals are the statuses of the problems that a route may answer with, in their order.
// The document lists them.
func (r *route) refusals(tokens bool) []int {
	all := []int{http.StatusForbidden, http.StatusMisdirectedRequest, http.StatusInternalServerError} // of any request
	if !r.open {
		all = append(all, http.StatusBadRequest, http.StatusServiceUnavailable, http.StatusGatewayTimeout)
		if tokens {
			all = append(all, http.StatusUnauthorized, http.StatusTooManyRequests)
		}
	}
	if r.id == "ready" {
		all = append(all, http.StatusServiceUnavailable)
	}
	if r.body != nil || r.records {
		all = append(all, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if strings.Contains(r.path, "{collection}") { // there may be none, or one of another model, or of an engine that cannot do this
		all = append(all, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)
	}
	if r.id == "createCollection" {
		all = append(all, http.StatusConflict, http.StatusUnprocessableEntity)
	}
	if r.id == "changeRecord" {
		all = append(all, http.StatusPreconditionFailed)
	}
	if slices.Contains([]string{"search", "searchMany", "storeRecords", "putRecord", "changeRecord"}, r.id) { // which embed texts
		all = append(all, http.StatusBadGateway)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// refused says what a status means, by the titles of its problems.
var refused = map[int]string{
	http.StatusBadRequest:            problemTitles["malformed"] + ", or: " + problemTitles["invalid"],
	http.StatusUnauthorized:          problemTitles["unauthorized"],
	http.StatusForbidden:             problemTitles["forbidden"] + ", or: " + problemTitles["misdirected"],
	http.StatusNotFound:              problemTitles["not-found"],
	http.StatusRequestTimeout:        problemTitles["too-slow"],
	http.StatusConflict:              problemTitles["exists"] + ", or: " + problemTitles["conflict"],
	http.StatusPreconditionFailed:    problemTitles["condition"],
	http.StatusRequestEntityTooLarge: problemTitles["too-large"],
	http.StatusUnsupportedMediaType:  problemTitles["media-type"],
	http.StatusMisdirectedRequest:    problemTitles["misdirected"],
	http.StatusUnprocessableEntity:   problemTitles["unsupported"],
	http.StatusTooManyRequests:       problemTitles["too-many"],
	http.StatusInternalServerError:   problemTitles["internal"] + ", or: " + problemTitles["outcome-unknown"],
	http.StatusBadGateway:            problemTitles["embedder"],
	http.StatusServiceUnavailable:    problemTitles["busy"] + ", or: " + problemTitles["unavailable"],
	http.StatusGatewayTimeout:        problemTitles["timeout"],
}
