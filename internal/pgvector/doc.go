// Package pgvector is the engine over PostgreSQL with the extension pgvector. It
// runs the plans of package engine as SQL: tables of its own and existing ones
// (table.go, attach.go), writes (write.go, merge.go), reads and exact searches
// (read.go, search.go), full text (text.go), and indexes, which index.go makes and
// drops, index_catalog.go finds, index_state.go remembers and index_use.go searches.
//
// It promises the meaning of package engine whatever the database is set to: a
// distance that the server cannot compute is computed here, an exact search goes
// through no index, equal scores are in the order of the IDs' bytes, and a lost
// answer is never taken for a write that was not done.
//
// It must not know other engines, or how connections are made and kept, which is
// package wire's.
package pgvector
