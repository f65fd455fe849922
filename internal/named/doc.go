// Package named gives the records of a collection further vectors, each with a name, a
// dimension, a metric and a model of its own.
//
// # How they are kept
//
// Every named vector has a collection of its own inside the same database, which holds
// nothing but IDs and vectors. The schema in the registry says which one: it has a name
// that is drawn once, so that it stays where it is when the collection is altered,
// renamed, or replaced by one with other vectors of its own. Engines know nothing of
// this: to them these are collections like any other, with indexes, snapshots, caches
// and backups of their own.
//
// # What it promises
//
// A record and its vectors are written and deleted in one transaction, which is that of
// the caller if there is one. What a search by a named vector finds is read from the
// records themselves: those that are gone, or that its filter does not let pass, are no
// hits, and as many others are looked at as it takes.
//
// A collection of vectors that no schema names is left over from a process that died.
// Since a schema is written before its collections are made, and goes before they do,
// it can be dropped at any time.
//
// # What it must not know
//
// It knows the seam and filters. It knows no engine, no embedder, no tenant (which lies
// outside of it, as a mirror does) and nothing of how lists of hits are fused.
package named
