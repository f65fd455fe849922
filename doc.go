// Package vecwire is vector search for Go: one [Collection] with one meaning
// over several engines.
//
// # Basics
//
// [Open] opens a database, [DB.CreateCollection] makes a collection of a
// [Schema], [Collection.Upsert] stores records and [Collection.Search] finds
// those whose vectors are the nearest to a query's:
//
//	db, err := vecwire.Open(ctx, "vectors.db")
//	docs, err := db.CreateCollection(ctx, vecwire.Schema{
//		Name:   "docs",
//		Dim:    128,
//		Fields: []vecwire.Field{{Name: "lang", Index: true}, {Name: "year", Type: vecwire.Int}},
//	})
//	err = docs.Upsert(ctx, vecwire.Record{ID: "1", Vector: v, Text: "…", Fields: vecwire.Fields{"lang": "go", "year": 2026}})
//	hits, err := docs.Search(ctx, vecwire.Query{Vector: q, K: 5, Filter: filter.Eq("lang", "go")})
//
// Every verb checks what it is given before anything is sent or stored, and
// returns a typed error that names the record, the field, what was wanted and
// what was got. Upsert stores all records or none.
//
// # Meaning
//
// The same on every engine: an ID is kept byte for byte; a record replaces the
// whole record of its ID; a vector is read back exactly as its element type
// holds it; a score is higher for a nearer record, and equal scores are in the
// order of their IDs; filters follow SQL's three-valued logic; a filtered search
// returns K hits if K records match. What an engine cannot do returns
// [ErrUnsupported], see [DB.Capabilities].
//
// # Caveats
//
// A store file belongs to one process at a time. A collection that is open has
// all its IDs and vectors in memory: about Dim × 4 bytes a record for FLOAT and
// twice that for DOUBLE, and some 150 bytes for its ID.
//
// Times are kept to the microsecond and in UTC.
package vecwire
