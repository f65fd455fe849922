// Package vecwire is vector search for Go: one [Collection] with one meaning over
// three engines. The embedded engine keeps everything in a file of its own, beside the
// program; PostgreSQL with pgvector and InterSystems IRIS are servers.
//
// # A first collection
//
// [Open] opens a database by its URL: a file, "mem:", postgres://… or iris://…. A
// [Schema] describes a collection, and [DB.EnsureCollection] makes or opens it:
//
//	db, err := vecwire.Open(ctx, "vectors.db")
//	defer db.Close()
//	docs, err := db.EnsureCollection(ctx, vecwire.Schema{
//		Name:   "docs",
//		Dim:    384,
//		Fields: []vecwire.Field{{Name: "lang", Index: true}, {Name: "year", Type: vecwire.Int}},
//	})
//
// A [Record] has an ID, a vector, a text, and values of the schema's fields.
// [Collection.Upsert] stores records, each in place of the one that has its ID, and all
// of them or none. [Collection.Search] finds those whose vectors are the nearest:
//
//	err = docs.Upsert(ctx, vecwire.Record{ID: "1", Vector: v, Text: "…",
//		Fields: vecwire.Fields{"lang": "go", "year": 2026}})
//	hits, err := docs.Search(ctx, vecwire.Query{Vector: q, K: 5})
//	for _, h := range hits {
//		fmt.Println(h.ID, h.Score, h.Text)
//	}
//
// [Collection.Get], [Collection.Delete], [Collection.Count] and [Collection.All] do what
// their names say. [Collection.Update] and [Collection.UpdateWhere] change records in
// place. [Collection.Facet] counts records by the values of a field, and [Collection.Range]
// finds the least and the greatest one. [Collection.SearchMany] answers several queries at
// once and says how each was answered; [Collection.SearchAll] streams hits, the nearest
// first.
//
// # Filters
//
// Package filter builds conditions over fields, in Go or from text:
//
//	f := filter.And(filter.Eq("lang", "go"), filter.Ge("year", 2020))
//	f, err := filter.Parse(`lang == "go" && year >= 2020`)
//	hits, err := docs.Search(ctx, vecwire.Query{Vector: q, Filter: f})
//
// A filtered search returns K hits if K records pass. A field without a value is
// neither equal nor unequal to anything, as in SQL. Fields may hold lists and JSON, too;
// see [FieldType].
//
// # Texts in place of vectors
//
// An [Embedder] turns texts into vectors. A collection that was made for its model takes
// texts wherever a vector is missing:
//
//	docs, err := db.EnsureCollection(ctx, vecwire.Schema{Name: "docs", Dim: e.Dim(), Model: e.Model(), FullText: vecwire.Words})
//	docs, err = docs.WithEmbedder(e)
//	err = docs.Upsert(ctx, vecwire.Record{ID: "1", Text: "…"})
//	hits, err := docs.Search(ctx, vecwire.Query{Text: "how do I read a file?"})
//
// Package embed has wrappers that batch, retry and limit requests, and a cache that
// [EmbeddingCache] keeps in a collection. [DB.Reembed] gives a collection the vectors of
// another model, and can be interrupted.
//
// # Words as well as meaning
//
// A schema with [Schema].FullText has an index over the words of the texts. A query with
// a [Fusion] then searches both ways and fuses the two lists:
//
//	hits, err := docs.Search(ctx, vecwire.Query{Text: "ENOENT", Fusion: &vecwire.Fusion{}})
//
// A query also rescores candidates from their vectors, reranks them by a model, groups
// them by a field, makes them diverse, and keeps away from negative examples: see
// [Query].
//
// # Many records
//
// [Collection.Ingest] stores an input that may be longer than the memory. It describes
// each record that failed and goes on, neither embeds nor writes what is stored already,
// and an interrupted job is finished by giving it the same input again:
//
//	report, err := docs.Ingest(ctx, records, vecwire.IngestOptions{Job: "import"})
//
// [Collection.ReplaceSource] does the same for the chunks of one document.
// [Collection.Insert] is faster for IDs that are all new.
//
// # Structs
//
// Package typed keeps values of a struct in place of records:
//
//	articles, err := typed.Ensure[Article](ctx, db, "articles")
//	err = articles.Upsert(ctx, Article{ID: "1", Vector: v, Lang: "go"})
//
// # Tenants
//
// [Collection.Namespace] returns the part of a collection that belongs to one tenant.
// It has every verb of a collection but those about indexes, and reaches no other part
// whatever it is asked.
//
// # Transactions
//
// [DB.Tx] runs a function in a transaction. The context that the function gets carries
// it: verbs that are called with that context take part, and others do not. The function
// may be run again, so it must be safe to repeat:
//
//	err := db.Tx(ctx, func(ctx context.Context) error {
//		found, err := docs.Get(ctx, "1")
//		…
//		return docs.Upsert(ctx, found...)
//	})
//
// [WithPgxTx] lets verbs take part in a transaction that you began with pgx.
//
// # Indexes
//
// Every search is exact until there is an index, a graph (HNSW): [Collection.BuildIndex] builds
// one, and on the embedded engine large collections get one by themselves, see [AutoIndex]. It is
// faster where there are many records and may miss some. [Collection.Recall] measures on
// the collection's own records how much it misses, in the mean and in the worst part,
// and [Collection.Tune] finds the effort that reaches a recall. [Query].Exact asks for an
// exact answer in any case.
//
// # Engines and what they can do
//
// What a verb means does not depend on the engine. An ID is kept byte for byte. A vector
// is read back exactly as its element type holds it. Times are kept in UTC and to the
// microsecond. A score is higher for a nearer record, and equal scores are in the order
// of the IDs. An engine that lacks something says so in [Capabilities], and its verb
// returns [ErrUnsupported].
//
// The embedded engine keeps the IDs and vectors of open collections in memory: about
// 4 * Dim bytes for a FLOAT record, twice that for a DOUBLE one, and some 150 bytes for
// the ID. Any number of processes can have its file open, and
// [DB.Backup] copies it meanwhile. Servers keep vectors to themselves;
// [Collection.Mirror] copies those of a collection into this process, and answers
// searches from there. [DB.AttachCollection] searches an existing table of a server, and
// [OpenPool] uses an existing pool of connections.
//
// # Errors
//
// Verbs check what they are given before they send or store any of it. An error names
// the record, the field, what was wanted and what came; [errors.As] finds a
// [*BatchError], [*RecordError], [*ValueError], [*DimensionError], [*SchemaError],
// [*FilterError], [*EmbedError], [*ConnectError] or [*LockedError] in it, and [errors.Is]
// finds [ErrNotFound], [ErrExists], [ErrConflict], [ErrUnsupported], [ErrModelMismatch],
// [ErrReadOnly], [ErrOutcomeUnknown] or [ErrClosed].
// Errors and logs show no password.
//
// A [Config] has a Logger for people, and an [Observer] that is told of every call; the
// module otel has one for OpenTelemetry.
//
// # Further reading
//
// The folder docs has a page on each engine, and on searching, filters, scores, hybrid
// search, lists and counts, embedding, ingesting, mirrors and transfer between engines; the
// folder examples has programs to begin with. Package serve puts a database behind HTTP,
// and cmd/vecwire is a command line over all of it.
package vecwire
