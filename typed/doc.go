// Package typed keeps values of the user's own struct in a collection of vecwire,
// in place of records with a map of fields.
//
//	type Article struct {
//		ID      string
//		Vector  []float32 `vecwire:",dim=384"`
//		Text    string
//		Lang    string     `vecwire:"lang,index"`
//		Stars   *int       // nil for no value
//		SeenAt  time.Time  `vecwire:",omitzero"`
//		Private chan int   `vecwire:"-"`
//	}
//
//	articles, err := typed.Ensure[Article](ctx, db, "articles")
//	err = articles.Upsert(ctx, Article{ID: "1", Vector: v, Text: "…", Lang: "go"})
//	hits, err := articles.Search(ctx, vecwire.Query{Vector: q}) // hits[0].Value is an Article
//
// # Structs
//
// The struct's exported fields are the record's. A field has the name in its tag,
// or else its own in lower case with underscores: CreatedAt is created_at.
//
// The names "id", "vector" and "text" stand for the parts of a [vecwire.Record]:
//
//   - id is a string, an integer, or a type that reads and writes itself as text,
//     such as a UUID. It is required.
//   - vector is a slice or an array of float32 (FLOAT) or float64 (DOUBLE). A
//     struct without one is for collections with an embedder, and for reading.
//   - text is a string.
//
// The other fields are string, bool, integers, floats, time.Time, []byte, slices of
// strings, integers or floats, which are lists, types made of these such as `type Lang string`, and types that read and write
// themselves as text ([encoding.TextMarshaler], [encoding.TextUnmarshaler]), which
// are Strings. A value that may be missing is a pointer to any of these, or
// [database/sql.Null]; a nil slice is no value, too. A missing value is read as nil, or as the zero value where
// there is no nil. The fields of an embedded struct count as the struct's own.
//
// Options follow the name in the tag:
//
//   - index: filters over the field are faster; see [vecwire.Field].
//   - expires: the record is there until this time, see [vecwire.Field]; the zero time is
//     written as no value, and the record never expires.
//   - omitzero: the zero value is written as no value.
//   - json: the value is kept as JSON, by encoding/json, and may be of any type that
//     it writes as an object or a list. Without it map[string]any, []any and
//     json.RawMessage are JSON.
//   - named: the field is one of [vecwire.Schema].Vectors, a slice or an array of float32; a
//     nil slice, and an array of zeros, is none.
//   - dim=384: the number of elements of a vector that is a slice.
//
// A field of type [vecwire.Fields] with the name "*" holds the record's values that
// have no field of their own in the struct.
//
// The package is written over the public API of vecwire alone, and knows no engine.
package typed
