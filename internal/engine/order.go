package engine

import "github.com/vecwire/vecwire/filter"

// Order is the order of a scan. The zero Order is by ID.
//
// In the order of a field there are two scans, which the root runs one after the
// other: of the records that have a value, and, with Missing, of those that have
// none, by ID. So no engine decides where NULL stands.
type Order struct {
	Field string      // a field of the schema, "" for the ID; never of the type Bytes
	Type  filter.Type // the field's
	// Desc puts the greatest first. Records with the same value of a field are in the
	// ascending order of their IDs with it, too.
	Desc    bool
	Missing bool // with Field: only records without a value, by ID
	// After, beside Scan.After, is the value that the record of that ID had when it was
	// read, whether or not it is there still: the scan goes on behind the two. It is nil
	// for the first page, and with Missing.
	After any
}

// ByID reports whether the order goes by nothing but IDs, the least first.
func (o Order) ByID() bool { return o.Field == "" && !o.Desc || o.Missing }

// Backwards reports whether the IDs go from the greatest to the least.
func (o Order) Backwards() bool { return o.Field == "" && o.Desc }
