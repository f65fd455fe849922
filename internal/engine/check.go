package engine

import "context"

// Checked is what Engine.Check has found.
type Checked struct {
	Collections []CheckedCollection // by name
	Problems    []Problem           // the first MostProblems, nil if all is well
	Total       int                 // how many there are
}

// CheckedCollection is a collection that was checked.
type CheckedCollection struct {
	Name    string
	Records int // how many were read
}

// Problem is one thing that is wrong.
type Problem struct {
	Collection string // "" if it is of the whole database
	ID         string // of the record, "" if it is of none, or of one that is not known
	What       string // for people
}

// MostProblems is how many problems a check keeps; it counts them all.
const MostProblems = 4096

// Add adds problems.
func (c *Checked) Add(problems ...Problem) {
	c.Total += len(problems)
	room := max(0, MostProblems-len(c.Problems))
	c.Problems = append(c.Problems, problems[:min(room, len(problems))]...)
}

// The features of this file, as errors name them.
const (
	LackCheck   = "checking the database"
	LackSalvage = "salvaging the database"
	LackCompact = "compacting the database"
)

// Check implements Engine.
func (l Lacks) Check(context.Context) (Checked, error) {
	return Checked{}, Unsupported(LackCheck, string(l))
}

// Salvage implements Engine.
func (l Lacks) Salvage(context.Context, string) (Checked, error) {
	return Checked{}, Unsupported(LackSalvage, string(l))
}

// Compact implements Engine.
func (l Lacks) Compact(context.Context) error { return Unsupported(LackCompact, string(l)) }
