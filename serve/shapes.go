package serve

import (
	"math"
	"regexp"

	"github.com/vecwire/vecwire"
)

// shapes are what the operations take and give.
type shapes struct {
	status, server, schema, collections, collection, create, ensure *shape
	record, records, put, result, get, remove, deleted, count       *shape
	counted, query, queries, found, manyFound                       *shape
	index, indexes, recall, recalls, points                         *shape
	change, changeAll, changed, facetOf, facets                     *shape
}

// fullTexts are the names of all kinds of full text.
func fullTexts() []string {
	names := []string{vecwire.NoFullText.String(), vecwire.Words.String(), vecwire.English.String()}
	for _, language := range []string{"ar", "da", "de", "es", "fi", "fr", "ga", "hu", "it", "nl", "no", "pt", "ro", "ru", "sv", "ta", "tr"} {
		names = append(names, vecwire.Stem(language).String())
	}
	return names
}

func limit(x float64) *float64 { return &x }

// nameRE is what the names of collections and fields are.
var nameRE = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,47}$`)

// shapesOf returns the shapes, in which limits are ranges.
func shapesOf(l Limits, caps vecwire.Capabilities) *shapes {
	word := func(doc string) *shape { return &shape{kind: text, doc: doc} }
	flag := func(doc string) *shape { return &shape{kind: boolean, doc: doc} }
	count := func(doc string) *shape { return &shape{kind: whole, doc: doc} }
	size := func(min, max int, doc string) *shape {
		return &shape{kind: whole, min: int64(min), max: int64(max), doc: doc}
	}
	ratio := func(doc string) *shape { return &shape{kind: number, low: limit(0), doc: doc} }
	decimal := func(doc string) *shape { return &shape{kind: number, doc: doc} }
	listOf := func(s *shape) *shape { return &shape{kind: list, items: s} }
	named := func(name string, members ...member) *shape { return &shape{name: name, kind: object, members: members} }
	opt := func(key string, s *shape) member { return member{key, s, false} }
	req := func(key string, s *shape) member { return member{key, s, true} }
	filter := &shape{kind: condition, doc: "Only records that pass: text such as `lang == \"go\"`, or an object such as `{\"year\": {\"$gte\": 2020}}`."}
	id := &shape{kind: text, min: 1, max: int64(caps.MaxIDBytes), doc: "Kept byte for byte."}
	elements := &shape{kind: vector, doc: "As many numbers as the schema's dim, or base64 of their little-endian bytes."}
	values := &shape{kind: free, doc: "The values of the schema's fields: Int is a whole number of all its digits, Time a string as RFC 3339 has it, Bytes base64."}

	var b shapes
	b.status = named("Status", req("status", word("")))
	b.server = named("Server", req("version", word("")), req("engine", word("The database's engine.")), req("capabilities", &shape{kind: free}), req("limits", &shape{kind: free}),
		req("embedders", listOf(named("Embedder", req("model", word("")), req("dim", count(""))))), req("token", word("The token's name, - without tokens.")), req("scope", word("What the token allows.")))

	fields := listOf(named("Field", req("name", &shape{kind: text, pattern: nameRE}), opt("type", word("String, Int, Float, Bool, Time, Bytes, or another type of the engine's. Defaults to String.")), opt("index", flag("Filters over it are faster.")),
		opt("paths", listOf(word("A path in a JSON value, filters over which are faster."))), opt("expires", flag("Of a Time: a record is there until then."))))
	name := &shape{kind: text, pattern: nameRE}
	metric := &shape{kind: text, enum: []string{"cosine", "dot", "l2"}, doc: "Defaults to cosine."}
	parts := []member{
		opt("dim", size(1, caps.MaxDim, "How many numbers a vector has. Defaults to that of the server's embedder for the model.")),
		opt("element", &shape{kind: text, enum: []string{"FLOAT", "DOUBLE"}, doc: "Defaults to FLOAT, 32 bits."}),
		opt("metric", metric),
		opt("model", &shape{kind: text, doc: "The embedding model that makes the vectors."}),
		opt("full_text", &shape{kind: text, enum: fullTexts(), doc: "Keeps an index over the words of the texts, or over their stems in a language. Defaults to none."}),
		opt("extra", word("The JSON field that gathers the values of a record which no field is for. Defaults to none: such a record is refused.")),
		opt("max_records", size(0, math.MaxInt32, "How many records there are at most: those that were not used for the longest time go. Defaults to 0, any number.")),
		opt("distributed", &shape{kind: text, enum: []string{"none", "id", "namespace"}, doc: "How Citus spreads the records over its workers. Defaults to none."}),
		opt("index", &shape{kind: text, enum: []string{"auto", "none"}, doc: "Whether the embedded engine builds a vector index by itself once the collection is large; searches are approximate then unless they ask for exact. Defaults to auto."}),
		opt("codes", &shape{kind: text, enum: []string{"7-bit", "4-bit"}, doc: "How many bits an element has in the codes that the embedded engine compares first: 4 take half of their memory. Defaults to 7-bit."}),
		opt("fields", fields),
		opt("vectors", listOf(named("NamedVector", req("name", &shape{kind: text, pattern: nameRE}), req("dim", size(1, caps.MaxDim, "")), opt("metric", metric), opt("model", word("The model that makes it.")), opt("source", word("The field whose text it is of."))))),
	}
	b.schema = named("Schema", append([]member{req("name", name)}, parts...)...)
	b.create = named("NewCollection", append([]member{req("name", name)}, parts...)...)
	b.ensure = named("EnsuredCollection", parts...)
	b.collections = named("Collections", req("collections", listOf(b.schema)))
	index := named("Index", req("name", word("")), req("kind", word("")), req("valid", flag("False while it is built.")), req("bytes", count("")), req("m", count("")), req("ef_construction", count("")), req("compress", word("")),
		req("dims", count("How many first elements of the vectors it is over, 0 for all.")), req("where", word("The filter that its records pass, or SQL if another program built it; empty for all records.")))
	b.indexes = named("Indexes", req("indexes", listOf(index)))
	taken := []member{req("memory_bytes", count("Of the server's memory, that the system cannot take back.")), req("mapped_bytes", count("Mapped from files: what is read of them is in memory, and the system takes it back.")), req("server_bytes", count("Of the disk of the database's server."))}
	part := named("UsagePart", append([]member{req("name", word("vectors, codes, links, ids or fields of an embedded store; table or indexes on a server.")), opt("in", word("Of which named vector it is."))}, taken...)...)
	usage := named("Usage", append(taken, req("parts", listOf(part)))...)
	b.collection = named("Collection", req("schema", b.schema), req("count", count("How many records.")), req("indexes", listOf(index)), req("embedder", flag("Whether the server turns texts into vectors for it.")), opt("usage", usage))

	others := &shape{kind: free, doc: "The named vectors of the schema, each a list of numbers or base64. One that is stored and not given is taken away."}
	b.record = named("Record", req("id", id), opt("vector", elements), opt("text", word("")), opt("fields", values), opt("vectors", others))
	b.put = named("RecordBody", opt("vector", elements), opt("text", word("")), opt("fields", values), opt("vectors", others))
	b.records = named("Records", req("records", listOf(b.record)))
	b.result = &shape{name: "Result", kind: free, doc: "Of a record: its index, its id, and status stored or failed with the error. The last line has the summary: done, stored and failed, and an error if the input could not be read to its end."}
	ids := &shape{kind: list, items: id, min: 1, max: int64(l.IDs)}
	b.get = named("Get", req("ids", ids), opt("vectors", flag("Defaults to true.")))
	b.remove = named("Delete", opt("ids", ids), opt("filter", filter), opt("all", flag("Removes every record.")))
	b.deleted = named("Deleted", req("deleted", count("")))
	b.count = named("CountOf", opt("filter", filter))
	b.counted = named("Count", req("count", count("")))

	b.change = named("Change", opt("set", values), opt("unset", &shape{kind: list, items: word(""), min: 0, max: 1000, doc: "Fields whose values are taken away; text stands for the text."}),
		opt("text", word("The new text, which is embedded if there is no vector.")), opt("vector", elements),
		opt("vectors", &shape{kind: free, doc: "New named vectors, each a list of numbers or base64; null takes one away."}),
		opt("if", &shape{kind: condition, doc: "Only if the record passes; otherwise the answer is 412."}))
	b.changeAll = named("ChangeAll", req("set", values), opt("filter", filter), opt("all", flag("Changes every record.")))
	b.changed = named("Changed", req("changed", count("")))
	b.facetOf = named("FacetOf", req("field", &shape{kind: text, min: 1, max: 48}), opt("filter", filter), opt("limit", size(1, 1<<20, "How many values at most, the most frequent ones. Defaults to 100.")))
	b.facets = named("Facets", req("values", listOf(named("FacetValue", req("value", &shape{kind: anything, doc: "null for the records without a value."}), req("count", count(""))))))

	b.query = named("Query",
		opt("in", word("The named vector that is compared, which vector and away are then of. Defaults to the records' own.")),
		opt("vector", elements), opt("text", word("Embedded if there is no vector; searched by its words if fusion is given.")),
		opt("away", &shape{kind: list, items: elements, min: 0, max: 100, doc: "Vectors of what is not wanted."}),
		opt("k", size(1, l.K, "How many hits. Defaults to 10.")), opt("offset", size(0, l.K, "How many of the best are left out. With k at most what k may be.")),
		opt("after", word("The next of an answer to a query with the same vector, text, away and in: the page behind it, however deep, at the cost of a page. Not beside offset, fusion, rescore, group_by and diversity.")),
		opt("filter", filter), opt("exact", flag("Without an approximate index.")), opt("effort", size(0, 1<<30, "How hard the index searches, ef_search.")),
		opt("ids_only", flag("Without texts and fields, which is faster.")), opt("vectors", flag("With the vectors.")),
		opt("fusion", named("Fusion", opt("k", ratio("Takes weight off the first ranks. Defaults to 60.")), opt("vector_weight", ratio("Defaults to 1.")), opt("text_weight", ratio("Defaults to 1.")), opt("text_only", flag("By words alone.")))),
		opt("candidates", size(0, 100*l.K, "How many of the nearest are looked at to choose from.")), opt("rescore", flag("Compares the candidates again by their vectors.")),
		opt("min_score", decimal("Leaves out hits that score less.")), opt("group_by", &shape{kind: text, doc: "A field: of the hits with the same value only group_size are kept."}),
		opt("around", size(0, maxAround, "How many parts of its document to bring from either side of a hit, into passages. The collection needs the fields source and part.")),
		opt("around_tokens", size(0, 1<<30, "How many tokens the passages may hold together, as they are estimated. Defaults to no bound.")),
		opt("group_size", size(0, l.K, "Defaults to 1.")), opt("diversity", &shape{kind: number, low: limit(0), high: limit(1), doc: "Prefers hits that are unlike those before them."}),
	)
	b.queries = named("Queries", req("queries", &shape{kind: list, items: b.query, min: 1, max: int64(l.Queries)}))
	hit := named("Hit", append([]member{req("score", decimal("Higher for nearer.")), opt("distance", decimal("Lower for nearer; not of a hit that was found by its words only.")),
		opt("passage", count("Which of the passages it stands in, from 0."))}, b.record.members...)...)
	passage := named("Passage", req("source", word("The document.")), req("text", word("The parts as one text.")), req("ids", listOf(id)))
	plan := named("Plan", req("path", word("What was looked at.")), req("index", word("The index that took part.")), req("effort", count("")), req("records", count("How many were compared, -1 if that is not known.")), req("why", word("")))
	b.found = named("Found", req("hits", listOf(hit)), req("exact", flag("There is no better hit.")), req("plan", plan),
		opt("next", word("The after of the next page, if there may be one.")),
		opt("passages", &shape{kind: list, items: passage, doc: "With around; hits whose parts touch share one."}))
	b.manyFound = named("ManyFound", req("results", listOf(b.found)))

	b.index = named("NewIndex", opt("m", size(0, 1000, "Links of a node. Defaults to 16.")), opt("ef_construction", size(0, 1<<16, "Candidates for each new node.")),
		opt("compress", &shape{kind: text, enum: []string{"none", "half", "bits"}, doc: "What the index holds in place of the vectors. Defaults to none."}),
		opt("where", &shape{kind: condition, doc: "Only over the records that pass, for searches whose filter has these conditions; on PostgreSQL."}),
		opt("dims", size(0, 1<<16, "Only over so many first elements of the vectors, for those that can be cut off; on PostgreSQL. Defaults to all.")),
		opt("method", &shape{kind: text, enum: []string{string(vecwire.HNSW), string(vecwire.DiskANN), string(vecwire.VectorChord)}, doc: "What is built; others than hnsw belong to extensions of PostgreSQL. Defaults to hnsw."}))
	b.recall = named("RecallOf", opt("k", size(1, l.K, "How many hits are compared. Defaults to 10.")), opt("sample", size(1, l.Sample, "How many queries. Defaults to 100.")), opt("filter", filter),
		opt("efforts", &shape{kind: list, items: size(0, 1<<30, ""), min: 1, max: 20, doc: "Measures each; 0 is the collection's own. Defaults to that."}))
	latency := named("Latency", req("p50_ms", decimal("")), req("p95_ms", decimal("")), req("p99_ms", decimal("")))
	report := named("Recall", req("effort", count("")), req("queries", count("")), req("mean", decimal("")), req("min", decimal("")), req("approximate", count("How many answers an index took part in.")), req("index", latency), req("exact", latency))
	b.recalls = named("Recalls", req("reports", listOf(report)))
	point := named("Point", req("id", word("")), req("x", decimal("")), req("y", decimal("")), opt("color", word("The field's value as text.")), opt("text", word("The beginning of the text.")))
	b.points = named("Points", req("points", listOf(point)), req("explained", &shape{kind: list, items: decimal(""), doc: "Which part of the variance each direction has."}), req("records", count("How many records the sample was drawn from.")))
	return &b
}
