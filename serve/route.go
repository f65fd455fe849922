package serve

import (
	"net/http"

	"github.com/vecwire/vecwire"
)

// route is one operation: what its path is, who may call it, what it takes and
// gives, and the function that does it. The server, the OpenAPI document and the
// metrics go by the table of them, see [routes].
type route struct {
	method, path string
	id           string // the operation's name
	doc          string
	scope        Scope
	open         bool // to callers without a token
	long         bool // a stream or a job, which takes as long as it makes progress
	params       []param
	body         *shape // of JSON; nil for none
	records      bool   // the body is records, one a line
	answers      []reply
	where        places // of the names in errors
	serve        func(*call) error
}

// param is a parameter of the URL, after the question mark.
type param struct {
	name  string
	doc   string
	shape *shape
}

// reply is an answer that is no problem.
type reply struct {
	status int
	doc    string
	media  string // "" for JSON
	shape  *shape // nil for no body, or for one that is not JSON
}

const linesOfJSON = "application/x-ndjson"

var (
	namespaceParam = param{"namespace", "The namespace that is meant, a part of the collection that belongs to one tenant.", &shape{kind: text, min: 1, max: 100}}
	filterParam    = param{"filter", "Only records that pass: text such as `lang == \"go\" && year >= 2020`, or JSON such as `{\"year\": {\"$gte\": 2020}}`.", &shape{kind: condition}}
	vectorsParam   = param{"vectors", "With the vectors.", &shape{kind: boolean}}
)

// routes is the table of all operations.
func routes(l Limits, caps vecwire.Capabilities) []route {
	b := shapesOf(l, caps)
	ok := func(doc string, s *shape) []reply { return []reply{{http.StatusOK, doc, "", s}} }
	collection := "/v1/collections/{collection}"
	return []route{
		{method: "GET", path: "/v1/health", id: "health", doc: "Whether the server runs.", open: true, answers: ok("It does.", b.status), serve: serveHealth},
		{method: "GET", path: "/v1/ready", id: "ready", doc: "Whether the database answers, and the server is not about to end.", open: true, answers: ok("It is ready.", b.status), serve: serveReady},
		{method: "GET", path: "/openapi.json", id: "openapi", doc: "This document.", open: true, answers: ok("OpenAPI 3.1.", &shape{kind: free}), serve: serveDocument},
		{method: "GET", path: "/metrics", id: "metrics", doc: "Counters for Prometheus.", scope: Read, answers: []reply{{http.StatusOK, "Prometheus's text format.", "text/plain; version=0.0.4", nil}}, serve: serveMetrics},
		{method: "GET", path: "/v1/server", id: "server", doc: "What the server and its database can do.", scope: Read, answers: ok("What they can.", b.server), serve: serveServer},

		{method: "GET", path: "/v1/collections", id: "listCollections", doc: "The collections that the token may see, by name.", scope: Read, answers: ok("Their schemas.", b.collections), serve: listCollections},
		{method: "POST", path: "/v1/collections", id: "createCollection", doc: "Makes an empty collection.", scope: Admin, body: b.create, where: inSchema, answers: []reply{{http.StatusCreated, "It was made.", "", b.schema}}, serve: createCollection},
		{method: "PUT", path: collection, id: "ensureCollection", doc: "Makes the collection if there is none; one of the same schema is left as it is.", scope: Admin, body: b.ensure, where: inSchema, answers: ok("It is there.", b.schema), serve: ensureCollection},
		{method: "GET", path: collection, id: "getCollection", doc: "The schema, how many records there are, and the vector indexes.", scope: Read, params: []param{namespaceParam}, answers: ok("The collection.", b.collection), serve: getCollection},
		{method: "DELETE", path: collection, id: "dropCollection", doc: "Removes the collection with all its records.", scope: Admin, answers: []reply{{http.StatusNoContent, "It was removed.", "", nil}}, serve: dropCollection},

		{method: "POST", path: collection + "/records", id: "storeRecords", doc: "Stores records, one JSON object a line, each in place of the one that has its ID. The answer has a line for each record while they come, and a summary at the end. Records that are refused do not keep out others.", scope: Write, long: true, records: true, params: []param{namespaceParam, {"results", "Which records have a line in the answer: all, or those that failed. Ask for failed if you send many and read only afterwards.", &shape{kind: text, enum: []string{"all", "failed"}}}}, answers: []reply{{http.StatusOK, "What became of each record.", linesOfJSON, b.result}}, where: inRecord, serve: storeRecords},
		{method: "GET", path: collection + "/records", id: "listRecords", doc: "Streams records in the order of their IDs, or of a field, one JSON object a line, as storeRecords takes them. A stream that broke off goes on after the last ID that came.", scope: Read, long: true, params: []param{namespaceParam, filterParam, {"after", "Only records after this one: an ID, or with order_by what the header Vecwire-After said.", &shape{kind: text}}, {"limit", "At most so many. Up to 1,000 the header Vecwire-After has the parameter after of the next page, as it is to stand in the URL.", &shape{kind: whole, min: 1, max: 1 << 53}}, {"order_by", "The field whose values the records are ordered by; those without a value come last.", &shape{kind: text, min: 1, max: 48}}, {"desc", "The greatest values first.", &shape{kind: boolean}}, vectorsParam, {"schema", "The first line is the schema.", &shape{kind: boolean}}}, answers: []reply{{http.StatusOK, "The records.", linesOfJSON, b.record}}, where: inFilterParameter, serve: listRecords},
		{method: "GET", path: collection + "/records/{id}", id: "getRecord", doc: "One record, with its vector. IDs of dots only, which clients change in paths, are for getRecords.", scope: Read, params: []param{namespaceParam}, answers: ok("The record.", b.record), serve: getRecord},
		{method: "PUT", path: collection + "/records/{id}", id: "putRecord", doc: "Stores one record, in place of the one that has its ID.", scope: Write, body: b.put, params: []param{namespaceParam}, answers: []reply{{http.StatusNoContent, "It was stored.", "", nil}}, where: inRecord, serve: putRecord},
		{method: "PATCH", path: collection + "/records/{id}", id: "changeRecord", doc: "Changes what the body names of one record, and leaves the rest as it is.", scope: Write, body: b.change, params: []param{namespaceParam}, answers: []reply{{http.StatusNoContent, "It was changed.", "", nil}}, where: inChange, serve: changeRecord},
		{method: "DELETE", path: collection + "/records/{id}", id: "deleteRecord", doc: "Removes one record.", scope: Write, params: []param{namespaceParam}, answers: []reply{{http.StatusNoContent, "It was removed.", "", nil}}, serve: deleteRecord},
		{method: "POST", path: collection + "/get", id: "getRecords", doc: "The records of some IDs, in their order. IDs that are not there are left out.", scope: Read, body: b.get, params: []param{namespaceParam}, answers: ok("The records.", b.records), serve: getRecords},
		{method: "POST", path: collection + "/delete", id: "deleteRecords", doc: "Removes records by IDs or by a filter; all of them only if all is true.", scope: Write, body: b.remove, params: []param{namespaceParam}, answers: ok("How many there were.", b.deleted), where: inQuery, serve: deleteRecords},
		{method: "POST", path: collection + "/update", id: "changeRecords", doc: "Gives fields a value in the records that pass a filter; in all of them only if all is true.", scope: Write, body: b.changeAll, params: []param{namespaceParam}, answers: ok("How many there were.", b.changed), where: inChange, serve: changeRecords},
		{method: "POST", path: collection + "/facets", id: "facets", doc: "How many records have each value of a field, the most frequent first.", scope: Read, body: b.facetOf, params: []param{namespaceParam}, answers: ok("The values.", b.facets), where: inFacet, serve: countValues},
		{method: "POST", path: collection + "/count", id: "count", doc: "How many records pass a filter.", scope: Read, body: b.count, params: []param{namespaceParam}, answers: ok("How many.", b.counted), where: inQuery, serve: countRecords},

		{method: "POST", path: collection + "/search", id: "search", doc: "Finds the nearest records to a vector or a text, by words too if fusion is given.", scope: Read, body: b.query, params: []param{namespaceParam}, answers: ok("The hits, the best first.", b.found), where: inQuery, serve: search},
		{method: "POST", path: collection + "/search-many", id: "searchMany", doc: "Answers several queries at once.", scope: Read, body: b.queries, params: []param{namespaceParam}, answers: ok("An answer for each query.", b.manyFound), where: inQuery, serve: searchMany},

		{method: "POST", path: collection + "/indexes", id: "buildIndex", doc: "Builds a vector index, and answers when it is done. The work ends if the caller goes away.", scope: Admin, long: true, body: b.index, answers: ok("The indexes.", b.indexes), where: inIndex, serve: buildIndex},
		{method: "DELETE", path: collection + "/indexes/{index}", id: "dropIndex", doc: "Removes a vector index.", scope: Admin, answers: []reply{{http.StatusNoContent, "It was removed.", "", nil}}, serve: dropIndex},
		{method: "POST", path: collection + "/recall", id: "recall", doc: "Measures how much searches through the index miss, and how long they take, with records of the collection as queries.", scope: Admin, body: b.recall, params: []param{namespaceParam}, answers: ok("A report for each effort.", b.recalls), where: inQuery, serve: measureRecall},
		{method: "GET", path: collection + "/map", id: "map", doc: "A sample of the records on a plane: their vectors along the two directions in which they differ most (PCA).", scope: Read, params: []param{namespaceParam, filterParam, {"sample", "How many records.", &shape{kind: whole, min: 1, max: int64(l.Sample)}}, {"color", "The field whose values the points are told apart by.", &shape{kind: text, min: 1, max: 48}}}, answers: ok("The points.", b.points), where: inFilterParameter, serve: serveMap},
	}
}

// unknownRoute answers what no route does.
var unknownRoute = route{path: "unknown", id: "unknown", open: true, serve: serveUnknown}

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

func serveUnknown(c *call) error {
	var allowed []string
	for _, m := range methods {
		r := *c.r
		r.Method = m
		if _, pattern := c.mux.Handler(&r); pattern != "/" && pattern != "" {
			allowed = append(allowed, m)
		}
	}
	if allowed == nil {
		return newProblem(http.StatusNotFound, "not-found", "there is nothing at this path")
	}
	for _, m := range allowed {
		c.w.Header().Add("Allow", m)
	}
	return newProblem(http.StatusMethodNotAllowed, "not-allowed", "the header Allow says which methods there are")
}
