// Package lru bounds how many records a collection has, for caches: at a commit there
// are no more than Schema.MaxRecords, and those that were not used for the longest time
// have gone. It wraps an engine, so that there is one meaning on every engine with
// serializable transactions; the engines know a field more and nothing of a bound.
//
// # What it promises
//
//   - The field in which it keeps when a record was used, and the bound, is seen by
//     nobody above it. It is the last of the schema, so that every other has its place.
//   - A verb that adds records removes others in its own transaction. What it stores
//     itself stays, and a call with more records than the bound is refused.
//   - What has expired goes first.
//   - Uses by reading are kept in memory and written in batches: before records are chosen
//     to go, when enough have come together or a minute has passed, and at the end. What
//     other processes have not written yet is not known here, and what is lost is an order.
//   - Times only grow within a process. Between processes they are those of the clocks.
//
// # What it must not know
//
// Which engine is inside, what counts as a use, namespaces, and mirrors.
package lru
