// Package search answers queries: it checks each once, into a plan whose methods are the
// steps, has an [engine.Collection] find candidates, and chooses among them.
//
// The steps, in their order: widen (more candidates than hits), find (by vectors, and by
// words), rescore, exclude, fuse, rerank, boost, group, diversify, cut, snip. All but find
// are the same for every engine, because no engine does them.
//
// # What it promises
//
//   - A query that is refused asks the engine for nothing, and costs the others of its
//     call their answers: none is given.
//   - Where groups, or what the question excludes, leave an answer short, or boosts leave
//     it open, the search looks further, until there are no more candidates.
//   - [Result].Exact is true only if no record that was not looked at can be better.
//   - A Reranker sees each text once at most, and what is excluded not at all.
//   - Hits of equal score are in the order of their IDs.
//
// # What it must not know
//
// Embedders, transactions, observers, namespaces and mirrors: vectors come with the
// queries, and the collection is whatever it is given.
package search
