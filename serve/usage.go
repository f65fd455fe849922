package serve

import "github.com/vecwire/vecwire"

// taken is what something takes, as answers have it.
type taken struct {
	Memory int64 `json:"memory_bytes"`
	Mapped int64 `json:"mapped_bytes"`
	Server int64 `json:"server_bytes"`
}

type usagePart struct {
	Name string `json:"name"`
	In   string `json:"in,omitempty"`
	taken
}

type usage struct {
	taken
	Parts []usagePart `json:"parts"`
}

func usageEntry(u vecwire.Usage) usage {
	out := usage{taken{u.Memory, u.Mapped, u.Server}, make([]usagePart, len(u.Parts))}
	for i, p := range u.Parts {
		out.Parts[i] = usagePart{p.Name, p.In, taken{p.Memory, p.Mapped, p.Server}}
	}
	return out
}
