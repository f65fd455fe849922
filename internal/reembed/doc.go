// Package reembed gives every record of a collection a vector of another model's:
// it fills a second collection, and puts that in the place of the first.
//
// # What it promises
//
//   - Until the second collection takes the name, the first one serves reads and
//     writes as ever; then the second one does, in one step.
//   - No acknowledged write is lost: what is written to the first collection is
//     taken over, or the write fails because the collection has been replaced.
//   - Records are compared, never a printed form or a hash of them.
//   - A record that cannot be embedded is reported, and either nothing is replaced
//     or, with SkipFailed, it is left out.
//   - No text is embedded while writers are kept out, unless they never pause: then
//     the last few are, for ten seconds at most.
//   - What an interrupted Run left is gone on with by the next one.
//
// # What it must not know
//
// What an embedder is, or how users see collections and records: texts become
// vectors through an ingest.Embed, and schemas are checked by a function handed in.
package reembed
