package engine

// Distribution says how the records of a collection are spread over servers.
type Distribution uint8

// The distributions.
const (
	NotDistributed Distribution = iota // all on one server
	ByID                               // each where the hash of its ID says
	ByNamespace                        // each where the hash of its namespace says
)

var distributions = [...]string{NotDistributed: "none", ByID: "id", ByNamespace: "namespace"}

// String returns the name.
func (d Distribution) String() string {
	if int(d) < len(distributions) {
		return distributions[d]
	}
	return "unknown"
}

// ParseDistribution returns the distribution whose String is name.
func ParseDistribution(name string) (d Distribution, known bool) {
	for d, is := range distributions {
		if is == name {
			return Distribution(d), true
		}
	}
	return NotDistributed, false
}

// NamespaceField names the field that says which namespace a record belongs to. The ID
// of such a record begins with it and a slash, in the collection as a whole.
const NamespaceField = "namespace"

// LackDistributed is the feature Can.Distributed, as errors name it.
const LackDistributed = "a distributed collection, which needs PostgreSQL with the extension citus,"
