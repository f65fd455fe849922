"""The driver's DB-API: what iris-pgwire uses outside an IRIS process."""

import threading
import time

from . import _config, _engine, _journal

apilevel = "2.0"
paramstyle = "qmark"

_lock = threading.Lock()
_opened = 0
_live = 0


class Cursor:
    arraysize = 1

    def __init__(self, connection):
        self._connection = connection
        self._rows = []
        self.description = None
        self.rowcount = -1

    def execute(self, sql, params=None):
        if params is None:
            params = ()
        elif not isinstance(params, (list, tuple)):
            params = (params,)
        start = time.perf_counter()
        try:
            description, rows, self.rowcount = _engine.run(self._connection.db, sql, params)
        except Exception as e:
            _journal.write(self._connection.name, sql, params, (time.perf_counter() - start) * 1000, e)
            raise
        _journal.write(self._connection.name, sql, params, (time.perf_counter() - start) * 1000)
        self.description = tuple((name, code, None, None, None, None, None) for name, code in description) if description else None
        self._rows = rows

    def executemany(self, sql, sets):
        total = 0
        for params in sets:
            self.execute(sql, params)
            total += max(self.rowcount, 0)
        self.rowcount = total

    def fetchone(self):
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size=None):
        n = size or self.arraysize
        out, self._rows = self._rows[:n], self._rows[n:]
        return out

    def fetchall(self):
        out, self._rows = self._rows, []
        return out

    def close(self):
        self._rows = []

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class Connection:
    def __init__(self):
        global _opened, _live
        with _lock:
            if _config.MAX_CONNECTIONS and _live >= _config.MAX_CONNECTIONS:
                raise RuntimeError("<COMMUNICATION LINK ERROR> Failed to connect to server; Details: license limit exceeded")
            _opened += 1
            _live += 1
            self.name = "c%d" % _opened
        self.db = _engine.open_session()
        _journal.write(self.name, "CONNECT")

    def cursor(self):
        return Cursor(self)

    def commit(self):
        if self.db.in_transaction:
            self.db.execute("COMMIT")

    def rollback(self):
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")

    def close(self):
        global _live
        if self.db is None:
            return
        self.db.close()
        self.db = None
        with _lock:
            _live -= 1
        _journal.write(self.name, "CLOSE")

    def setAutoCommit(self, on):
        pass


def connect(*args, **kwargs):
    """Takes and ignores host, port, namespace, user and password."""
    return Connection()
