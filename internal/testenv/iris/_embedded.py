"""`iris.sql` as code inside an IRIS process sees it: one session for every client of the server."""

import threading
import time

from . import _engine, _journal
from ._errors import IRISError

_lock = threading.RLock()
_session = None


class _Result:
    """Can only be iterated: upstream's comments say iris.sql.exec gives no usable description."""

    def __init__(self, rows):
        self._rows = rows

    def __iter__(self):
        return iter(self._rows)


def exec(sql, *params):
    global _session
    with _lock:
        if _session is None:
            _session = _engine.open_session()
        start = time.perf_counter()
        try:
            description, rows, count = _engine.run(_session, sql, params)
        except Exception as e:
            _journal.write("embedded", sql, params, (time.perf_counter() - start) * 1000, e)
            raise
        _journal.write("embedded", sql, params, (time.perf_counter() - start) * 1000)
    if count == 0 and sql.lstrip()[:6].upper() in ("UPDATE", "DELETE"):
        raise IRISError(100, " No data", "Execute")
    return _Result([tuple("" if v is None else v for v in row) for row in rows])
