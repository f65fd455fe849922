// Package ingest stores an input that may be longer than the memory into an
// [engine.Collection], in batches that are under way side by side.
//
// # What it promises
//
//   - A record that is stored as it is, is neither embedded nor written again, so a
//     job that was interrupted is finished by giving it the same input again.
//   - A record that is refused, by its check, by the embedder or by the engine,
//     costs only itself: it becomes a [Failure], and all others are stored.
//   - Of records with one ID the last one of the input that is not refused counts:
//     two batches that share an ID are never under way at the same time.
//   - Every count of a [Report] is of records that are stored, found unchanged, or
//     failed; what it counts as stored is stored, whatever ended the job.
//   - The cursor moves only over records that are done, without a gap.
//   - Code of the caller that runs in a worker (checking, embedding, progress)
//     never ends the process: a panic is the job's error.
//   - When Run returns, nothing of the job is running.
//   - A [Replacement] that is applied leaves exactly its records in the set, or it
//     writes nothing and says that another writer was faster.
//
// # What it must not know
//
// What the caller's records look like, which verb or database the job belongs to,
// what an embedder is, or that there are transactions: records come in through a
// check function, vectors through an embed function, and the memory of records is
// the job's own once the check has seen them.
package ingest
