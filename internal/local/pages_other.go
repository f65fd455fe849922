//go:build !(linux || darwin || freebsd)

package local

// newPages returns nil: these systems do not map a file that is written.
func newPages(string, *watch) *pages { return nil }

func (p *pages) refresh() bool { return false }

func (p *pages) close() {}
