// Package mirror answers a collection's searches in this process, from a copy of
// the collection's IDs, vectors and fields.
//
// # What it promises
//
// A [Mirror] is an engine.Collection. Its searches are exact: they compare the
// query with every vector of the copy, and the scores, the ties and what passes a
// filter are those of the inner collection. A hit with text and fields is read
// from the inner collection, so it exists there and passes the filter.
//
// With [Options].FullText the copy has the texts, too, and finds by their words what an
// embedded collection of that full text would, whether or not the inner collection has
// full text. Filters over the text are then the copy's, in searches.
//
// A write goes to the inner collection first. Once it has succeeded, a search that
// begins later sees all of it, and one beside it sees all or nothing. A write that
// failed leaves the copy as it was; if its outcome is unknown, its records are
// read again, and are counted as unsure until that has worked.
//
// Nothing older ever replaces something newer in the copy. There are two ways into
// it: a write that has succeeded, and records that were read again. Both claim the
// records' IDs first and keep them until the copy has changed.
//
// The copy lags behind writes that do not come through the mirror, until the next
// refresh. A refresh that fails leaves the copy usable and says why in [Stats].
//
// Each read of the inner collection that no caller waits for passes the database's
// gate, so a database can be closed under a mirror: refreshes then end.
//
// # What it must not know
//
// It knows the seam (package engine), gates, and the embedded engine, which holds
// the copy in memory. It knows no server, no SQL, no namespace, no job and nothing
// of package vecwire. Of an existing table, which the root attaches, it knows only
// that the inner collection is one ([Options].Attached): there, a key may sort as
// a number, a vector may be stored less precisely than it was given, and a record
// may have none.
package mirror
