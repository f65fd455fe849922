// Package serve makes an http.Handler of a database: a JSON API with its OpenAPI
// document, a web page to look into collections, health checks and metrics.
//
//	handler := serve.New(db, serve.Options{})
//	server := serve.Server(handler) // with timeouts; set Addr
//	err := server.ListenAndServe()
//
// The handler can be mounted under a prefix of another server, with
// http.StripPrefix. Without tokens it answers only callers on the same machine,
// that address it by a loopback name; see [Options].
//
// Each operation is one entry of a table ([routes]), which says its path, its
// scope, and the shape of what it takes and gives. Requests are read by those
// shapes and the OpenAPI document is written from them, so the two cannot differ.
//
// The package stands on the public API of vecwire alone. It must not know engines,
// files or SQL, and nothing of them is in any answer: an answer speaks of JSON
// members and of the schema's fields.
package serve
