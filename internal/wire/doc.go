// Package wire is what engines that talk to a server share. It is no engine: the
// packages pgvector and iris are, each over one [Server] of this package, with a
// [Dialect] that says what its kind of server means.
//
// It promises them:
//
//   - a pool of connections that is dialled late, closed once, and never holds up
//     queries because writers are busy (server.go);
//   - operations that are run again when a server restarts, cuts a connection or
//     asks for it, for a bounded time, and only where that is safe (retry.go);
//   - a transaction that fails as a whole with its first error (tx.go);
//   - errors that name the server without its password, and the remedy (connect.go);
//   - the registry's entries, which mean the same on every server (registry.go);
//   - the parts of SQL that all dialects write alike (sql.go), and the best hits of
//     a stream of them (topk.go).
//
// It must not know one kind of server from another, except to tell that what
// answers is not the kind that was asked for ([ErrIsIRIS]); nor any statement,
// type or error code. It knows nothing of the root package.
package wire
