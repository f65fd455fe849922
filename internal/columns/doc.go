// Package columns keeps the indexed fields of a collection in memory, in the form
// that answers a filter fastest, and puts the answers to conditions together.
//
// It knows row numbers, values and filters, and no SQL: what it does not keep, its
// caller finds out. Everything here is a [Set] of rows, a bit each, and a condition
// becomes one without a look at single rows.
//
// # How a field is kept
//
// A column is a run: the different values in ascending order, and for each the rows
// that have it. A comparison is true for some stretches of the values, so for some
// stretches of the rows in that order. At up to 64 places of the order, always
// between two values, it is also kept which rows stand before it, as a Set: a mark.
// The rows of any stretch are then those of one mark and not of another, but for few
// that are counted off between the mark and the end of the stretch. So a condition
// takes about as long whichever share of the records it lets pass.
//
// In a column of lists a row stands at several values, so that marks would say
// nothing. There each value that many rows have gets a Set of its own.
//
// What was changed since the run was made is in a second, small run, and the rows of
// the first that do not count any more are in a Set. When there are many, the two
// become one.
//
// # Memory
//
// A record takes 4 bytes for its row number; up to 8 for marks, mostly 4, and less
// with few values; a bit for whether it has a value; and for each different value 12
// bytes for a number, or 8 and its length for a text. Of a list the row number and the
// marks count for each element.
//
// # Three values
//
// A condition over a missing value is neither true nor false, as in SQL. So there is
// no complement of an answer: a negation is carried down to the conditions, and each
// is asked for the rows of which it is false.
package columns
