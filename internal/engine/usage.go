package engine

import "context"

// Part is what one part of a collection takes, in bytes.
type Part struct {
	Name   string
	In     int   // as in Index: of which further vector it is, from 1; 0 for the records' own
	Memory int64 // of this process, that the system cannot take back
	Mapped int64 // mapped from a file into this process
	Server int64 // of a server's disk
}

// LackUsage is the feature Can.Usage, as errors name it.
const LackUsage = "saying how much a collection takes"

// Usage implements Collection.
func (l Lacks) Usage(context.Context) ([]Part, error) { return nil, Unsupported(LackUsage, string(l)) }
