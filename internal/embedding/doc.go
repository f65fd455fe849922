// Package embedding gives records, changes and jobs the vectors of their texts, and
// keeps those that they have already.
//
// # What it promises
//
//   - A text whose record is stored with the same text, and a vector, is not embedded:
//     the two are read at once, so they belong together whatever other writers do. A
//     change that relies on a stored text is made only if the record still has it.
//   - No embedder is called in a transaction, but for that of a caller's own: what a
//     transaction wants is noted in its [Memo], embedded outside, and found when the
//     transaction runs again.
//   - In a job a text that the embedder refuses costs only itself.
//   - Vectors of an embedder are as many as its texts, or the call is an [*Error].
//
// # What it must not know
//
// Databases, verbs, observers, and what a transaction does: where an embedder may be
// called is told to it by a [Model].
package embedding
