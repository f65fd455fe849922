//go:build darwin || freebsd || netbsd || openbsd

package ann

// adviseHuge does nothing: these systems choose page sizes themselves.
func adviseHuge([]byte) {}

func adviseSmall([]byte) {}
