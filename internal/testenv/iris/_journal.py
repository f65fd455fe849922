"""Writes what reached the engine: one JSON object a line.

Fields: time (Unix seconds), conn ("c1", or "embedded"), sql, params, ms, error.
"""

import json
import math
import threading
import time

from . import _config

_lock = threading.Lock()
_file = open(_config.LOG, "a", encoding="utf-8") if _config.LOG else None


def write(conn, sql, params=(), ms=0.0, error=None):
    if _file is None:
        return
    shown = [repr(p) if isinstance(p, float) and not math.isfinite(p) else p for p in params]  # JSON has no infinity
    entry = {"time": time.time(), "conn": conn, "sql": sql, "params": shown, "ms": round(ms, 3)}
    if error is not None:
        entry["error"] = str(error)
    line = json.dumps(entry, default=repr) + "\n"
    with _lock:
        _file.write(line)
        _file.flush()
