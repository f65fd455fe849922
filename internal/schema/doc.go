// Package schema says what a collection's schema admits: which schemas can be made
// and altered, and which names, values, filters and orders fit one. It turns what a
// user gives into the plans of package engine.
//
// # What it promises
//
//   - A [Rules] is the one place where the records, filters and scans of a collection
//     are checked. What it returns keeps what package engine promises to engines.
//   - What does not fit is refused with an error that names the record's part, what is
//     wanted and what was given: an [*Error] about the schema, a *codec.ValueError
//     about a value, a *filter.Error about a filter. What the engine lacks is
//     engine.ErrUnsupported.
//   - Nothing that it is given is changed, and values that it returns share no memory
//     with the caller's that the caller's type would let change.
//   - A token of a scan is good in any process and on any engine.
//
// # What it must not know
//
// Databases, transactions, searches, embedders, and how an engine works: it never
// calls one but to ask what it can.
package schema
