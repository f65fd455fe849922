// Package tenant gives one tenant its part of a collection that many share, as
// if that part were a collection of its own.
//
// # What it promises
//
// A [Collection] stores, reads, counts, finds and deletes only records of its
// tenant, whatever it is asked: a filter is joined to one that only the tenant's
// records pass, an ID gets the tenant's prefix before it reaches the inner
// collection, and a record that comes back without both is an error and not an
// answer. Two tenants may have records of the same ID. The prefix is the same for
// all records of a tenant, so their IDs keep their order.
//
// The tenant's schema and records show neither the field that holds the tenant's
// name nor the prefix.
//
// An index of the tenant's holds none but the tenant's records, beside those of the
// inner collection. Where that has no such indexes, Can().Indexes is false and the verbs
// of indexes return engine.ErrUnsupported. All else that the inner collection can
// do works here too.
//
// # What it must not know
//
// It knows an engine.Collection and filters. It knows no engine, no database, no
// transaction (a context carries that through it), no mirror, and nothing of which
// names a tenant may have: the root checks those.
package tenant
