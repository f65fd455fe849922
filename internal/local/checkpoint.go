package local

// logPages is how long SQLite's log is, in pages, when it is written into the file, as
// SQLite itself does it.
const logPages = 1000

// checkpoint writes what is in SQLite's log into the file, if that is long. SQLite itself
// does so within a commit, for which searches wait; here they go on. It waits for no
// reader, and what it cannot write stays in the log, which has it safely.
func (t *txn) checkpoint() {
	s := t.store
	if s.watch == nil || s.watch.now().pages() < logPages {
		return
	}
	if _, err := t.conn.ExecContext(t.ctx, "PRAGMA wal_checkpoint(PASSIVE)"); err != nil && !isBusy(err) {
		s.log.Warn("what was committed is safe in the log, but could not be written into the file", "err", explain(err))
	}
}
