// Package recall compares the answers of an approximate index with exact ones.
//
// It draws what to ask ([Sample]), measures the answers ([Measure]), and finds the
// smallest effort that is good enough ([Tune]). Queries are of two kinds: a fair sample,
// which the means are about, and more from each part of the space that the sample hardly
// touches. An index that has lost two records of a hundred shows in no mean; it shows in
// the worst group.
//
// What it promises: a recall is a count of hits divided once, so that it is 1 if and
// only if nothing is missing; hits that score no less than the last exact one are never
// missing, so that ties do not count; the same seed draws the same queries.
//
// What it must not know: engines, collections, SQL, and the root package. Queries are
// numbers to it, which a [Search] answers.
package recall
