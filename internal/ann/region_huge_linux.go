package ann

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages. A system that has none says so, and small ones
// do.
func adviseHuge(b []byte) { _ = unix.Madvise(b, unix.MADV_HUGEPAGE) }

// adviseSmall asks for small pages, also where huge ones are the rule.
func adviseSmall(b []byte) { _ = unix.Madvise(b, unix.MADV_NOHUGEPAGE) }
