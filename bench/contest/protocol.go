// Package contest lets search engines be measured side by side. Each runs in a
// process of its own and answers requests, a line of JSON each, on its standard
// input and output: so one engine's garbage collector, threads and memory are no
// part of another's times, engines written in other languages take part like
// those in Go, and the rounds of all can alternate. The package knows nothing of
// any engine. A program from elsewhere takes part in the same way: it answers each
// line with one, a Request with a Response, writes nothing else to its standard
// output, and ends when its input does. The benchmark's -peer names it.
package contest

// A Request asks a process to do one thing. A process builds once, and then
// searches as often as it is asked.
type Request struct {
	Build  *Build  `json:"build,omitempty"`
	Search *Search `json:"search,omitempty"`
}

// Build asks for an index over the first Rows vectors of a .bvecs file.
type Build struct {
	Base    string `json:"base"`
	Rows    int    `json:"rows"`
	Dim     int    `json:"dim"`
	Metric  string `json:"metric"`  // "l2" or "cosine"
	Threads int    `json:"threads"` // that may be used to build
	Queries string `json:"queries"` // .bvecs file with the queries of all searches to come
	URL     string `json:"url"`     // of the server, for an engine that has one
}

// Built is the answer to Build.
type Built struct {
	Seconds    float64 `json:"seconds"`    // for the index alone, not for reading the file
	CPUSeconds float64 `json:"cpuSeconds"` // that the process ran meanwhile, on all its threads; 0 if not known
	Bytes      int64   `json:"bytes"`      // of memory, how much more the process holds than before, the vectors included; 0 if not known
	Version    string  `json:"version"`    // of the engine
}

// Search asks queries First to First+Count-1, one after another.
type Search struct {
	Variant string `json:"variant"` // which way to search, for an engine with several
	First   int    `json:"first"`
	Count   int    `json:"count"`
	Warm    int    `json:"warm"` // how many of the queries are asked before, untimed: other processes ran meanwhile
	K       int    `json:"k"`
	Ef      int    `json:"ef"`      // effort of a graph search
	Threads int    `json:"threads"` // that share the queries
	CPU     int    `json:"cpu"`     // that a single thread is pinned to
	Rows    bool   `json:"rows"`    // whether to tell the answers
}

// Searched is the answer to Search.
type Searched struct {
	Nanos    int64     `json:"nanos"`    // for all queries
	CPUNanos int64     `json:"cpuNanos"` // that the process ran meanwhile; 0 if not known
	Each     []int64   `json:"each"`     // nanoseconds of each query alone
	Answers  [][]int32 `json:"answers"`  // row numbers, if asked for
	Allocs   float64   `json:"allocs"`   // allocations a query; -1 if not known
	Pinned   bool      `json:"pinned"`   // to the one CPU
}

// A Response answers a Request.
type Response struct {
	Skip  string `json:"skip,omitempty"` // why this engine cannot be had
	Error string `json:"error,omitempty"`
	Built
	Searched
}
