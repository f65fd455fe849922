// Package live keeps what all handles to one collection in this process share: the
// collection as it is since it was last altered, and who uses it.
//
// # What it promises
//
//   - No alteration runs while a call is under way that entered before it, and no call
//     enters while one runs. An alteration waits for the calls under way, but keeps new
//     ones waiting for a second at a time only: a call that lasts long may itself call.
//   - A handle learns of an alteration by this process when it enters, and of one by
//     another process when it follows.
//   - What was dropped is forgotten: a later collection of the name shares nothing with it.
//
// # What it must not know
//
// Verbs, transactions, namespaces, mirrors, and what an alteration does.
package live
