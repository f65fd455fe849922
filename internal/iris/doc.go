// Package iris is the engine over InterSystems IRIS behind iris-pgwire, a server
// that speaks PostgreSQL's protocol and rewrites what it is given into the SQL of
// IRIS. It runs the plans of package engine through what of that is dependable:
// docs/iris.md lists the server's versions and modes, and what each spoils.
//
// It promises that a write which the server acknowledged is there, since it looks
// (write.go); that a text comes back as it was, since arguments are guarded and
// columns are read with a prefix (conn.go); that each statement has a deadline; and
// that what a server cannot do is found out by trying it, never by its version.
//
// It must not know other engines, or how connections are made again, which is
// package wire's.
package iris
