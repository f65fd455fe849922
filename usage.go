package vecwire

import "context"

// Usage is how many bytes a collection takes.
type Usage struct {
	Memory int64       // of this process, that the system cannot take back
	Mapped int64       // mapped from a store's files: what is read of them is in memory, once for all processes, and the system takes it back
	Server int64       // of the disk of a server
	Parts  []UsagePart // what these are the sums of
}

// UsagePart is what one part of a collection takes.
type UsagePart struct {
	// Name is "vectors", "codes", "links" (of the index), "ids" or "fields" (the columns
	// of indexed fields) in the embedded engine; "table" or "indexes" on a server, those
	// of fields and words included.
	Name                   string
	In                     string // of which named vector it is, "" for the records' own
	Memory, Mapped, Server int64  // as in Usage
}

// Usage returns what the collection takes now, measured and not computed from its
// records. In the embedded engine that is about what its memory holds: texts and values
// that are not indexed stay in the file, and of a collection that was let go there is
// next to nothing. On PostgreSQL it is what the table and its indexes take there. It is
// not for IRIS, nor for a namespace, which has no part of its own.
func (c *Collection) Usage(ctx context.Context) (Usage, error) {
	c, ctx, call, err := c.begin(ctx, OpUsage)
	if err != nil {
		return Usage{}, err
	}
	defer call.leave()
	u, err := c.usage(ctx)
	return u, call.end(0, err)
}

func (c *Collection) usage(ctx context.Context) (u Usage, err error) {
	parts, err := c.engine.Usage(ctx)
	if err != nil {
		return Usage{}, err
	}
	for _, p := range parts {
		u.Memory += p.Memory
		u.Mapped += p.Mapped
		u.Server += p.Server
		u.Parts = append(u.Parts, UsagePart{Name: p.Name, Memory: p.Memory, Mapped: p.Mapped, Server: p.Server})
		if p.In > 0 {
			u.Parts[len(u.Parts)-1].In = c.schema.Vectors[p.In-1].Name
		}
	}
	return u, nil
}
