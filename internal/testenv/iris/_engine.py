"""Runs one IRIS statement on SQLite."""

import datetime
import decimal
import re
import sqlite3
import threading
import time

from . import _catalog, _config, _describe, _vector
from ._errors import IRISError, at_run
from ._lexer import closing, qualified, text, tokens
from ._translate import Translator, quote

_write = threading.RLock()  # one writer at a time in this process, so that SQLite never sleeps on its own lock
_raised = threading.local()  # the IRISError behind SQLite's "user-defined function raised exception"
_VERBATIM = re.compile(r"\s*(CREATE\s+(OR\s+REPLACE\s+)?(FUNCTION|PROCEDURE|VIEW)|DROP\s+(FUNCTION|PROCEDURE|VIEW))\b", re.I)


def _reported(f):
    """SQLite hides what a function raises: keep it, so that the statement can raise it again."""

    def call(*args):
        try:
            return f(*args)
        except IRISError as e:
            _raised.error = e
            raise

    return call


def _tovector(x, kind="FLOAT", n=None):
    if x is None or _vector.is_vector(x):
        return x
    return _vector.parse(x, kind, n)


def _substr(s, start, n=None):
    """SUBSTR gives NULL where SUBSTRING gives '' (InterSystems SQL reference, both pages)."""
    if s is None or start is None:
        return None
    s, start = str(s), int(start)
    first = max(start - 1, 0) if start >= 0 else max(len(s) + start, 0)
    out = s[first:] if n is None else s[first : first + max(int(n), 0)]
    return out or None


def _substring(s, start, n=None):
    if s is None or start is None:
        return None
    s, start = str(s), int(start)
    end = len(s) if n is None else start - 1 + int(n)
    return s[max(start - 1, 0) : max(end, 0)]


def _like(fold):
    def like(pattern, value, escape=None):
        if pattern is None or value is None:
            return None
        out, i, pattern = [], 0, str(pattern)
        while i < len(pattern):
            c = pattern[i]
            if escape and c == escape and i + 1 < len(pattern):
                i += 1
                out.append(re.escape(pattern[i]))
            else:
                out.append({"%": ".*", "_": "."}.get(c) or re.escape(c))
            i += 1
        return int(re.fullmatch("".join(out), str(value), re.S | (re.I if fold else 0)) is not None)

    return like


def _contains(part, value):
    return None if part is None or value is None else int(str(part) in str(value))


def _startswith(part, value):
    return None if part is None or value is None else int(str(value).upper().startswith(str(part).upper()))


def _sleep(seconds):
    time.sleep(float(seconds))
    return 1


def _collate(a, b):
    a, b = a.upper().rstrip(), b.upper().rstrip()
    return (a > b) - (a < b)


def open_session():
    db = sqlite3.connect(_config.DB, isolation_level=None, check_same_thread=False, timeout=_config.LOCK_TIMEOUT)
    db.execute("PRAGMA journal_mode=WAL")
    db.execute("PRAGMA synchronous=OFF")
    db.create_collation("SQLUPPER", _collate)
    for name, counts, f in (
        ("iris_tovector", (1, 2, 3), _tovector),
        ("iris_cosine", (2,), _vector.cosine),
        ("iris_dot", (2,), _vector.dot),
        ("iris_substr", (2, 3), _substr),
        ("iris_substring", (2, 3), _substring),
        ("iris_todate", (1, 2), lambda s, form=None: s),
        ("iris_check", (3,), _catalog.check),
        ("iris_raw", (3,), _catalog.is_raw),
        ("iris_normal", (3,), _catalog.normal),
        ("IRISFAKE_SLEEP", (1,), _sleep),
        ("like", (2, 3), _like(fold=False)),
        ("regexp", (2, 3), _like(fold=True)),
        ("glob", (2,), _contains),
        ("match", (2,), _startswith),
    ):
        for n in counts:
            db.create_function(name, n, _reported(f))
    return db


def _adapt(p):
    """A bound value as SQLite takes it. IRIS keeps no type for a parameter, and has no boolean."""
    if isinstance(p, bool):
        return int(p)
    if isinstance(p, decimal.Decimal):
        return float(p)
    if isinstance(p, int) and not -(2**63) <= p < 2**63:
        return str(p)
    if isinstance(p, (datetime.datetime, datetime.date)):
        return str(p)
    if p == "" and _config.EMPTY_AS_NULL:
        return None
    return p


def _show(v, code):
    if v is None:
        return None
    if _vector.is_vector(v):
        return _vector.to_text(v)
    if code == 2 and isinstance(v, (int, float)):
        return decimal.Decimal(repr(v))
    if code in (12, -1) and isinstance(v, (int, float)):
        return str(v)
    return v


def _sqlite_error(e, sql, updating):
    kept, _raised.error = getattr(_raised, "error", None), None
    if kept is not None:
        return kept
    m = str(e)
    for pattern, code, message, location in (
        (r"no such table: (?:main\.)?(.*)", -30, " Table 'SQLUSER.{0}' not found", "Prepare"),
        (r"no such column: (.*)", -29, " Field '{0}' not found in the applicable tables", "Prepare"),
        (r"no such function: (.*)", -359, " SQL Function SQLUSER.{0} not found", "Prepare"),
        (r"UNIQUE constraint failed: (.*)", -120 if updating else -119, " Key not unique: {0}", "ServerLoop"),
        (r"NOT NULL constraint failed: (.*)", -108, " '{0}' is required", "ServerLoop"),
        (r"(.*values for.*columns.*)", -62, " {0}", "Prepare"),
        (r"(.*locked.*)", -110, " {0}", "ServerLoop"),
        (r'near "(.*?)": syntax error', -1, " Input ({0}) not expected", "Prepare"),
        (r"(.*ORDER BY term out of range.*)", -1, " {0}", "Prepare"),
    ):
        found = re.match(pattern, m)
        if found:
            part = found.group(1)
            part = part.upper() if code in (-30, -29) else part
            return IRISError(code, message.format(part) + " ^" + sql[:80], location)
    return at_run(-400, " stand-in, SQLite says: " + m)


def _transaction(db, toks):
    """Runs a transaction statement; False if it is none."""
    head, second = toks[0].up, toks[1].up if len(toks) > 1 else ""
    if head == "START" and second == "TRANSACTION":
        if not db.in_transaction:
            db.execute("BEGIN")
    elif head == "COMMIT":
        if db.in_transaction:
            db.execute("COMMIT")
    elif head == "ROLLBACK" and second == "TO":
        db.execute("ROLLBACK TO SAVEPOINT %s" % quote(toks[-1].name))
    elif head == "ROLLBACK":
        if db.in_transaction:
            db.execute("ROLLBACK")
    elif head == "SAVEPOINT" and second:
        db.execute("SAVEPOINT %s" % quote(toks[1].name))
    elif head == "SET" and second in ("OPTION", "TRANSACTION"):
        pass
    else:
        return False
    return True


def _ddl(db, toks):
    """Runs a DDL statement; False if it is none."""
    head, second = toks[0].up, toks[1].up if len(toks) > 1 else ""
    if head == "CREATE" and second == "TABLE":
        _catalog.create_table(db, toks)
    elif head == "DROP" and second == "TABLE":
        _catalog.drop_table(db, toks)
    elif head == "CREATE" and second in ("INDEX", "UNIQUE"):
        _catalog.create_index(db, toks)
    elif head == "DROP" and second == "INDEX":
        _catalog.drop_index(db, toks)
    else:
        return False
    return True


def _insert(db, toks, params, translator):
    i = 1
    upsert = toks[1].up == "OR" and toks[2].up == "UPDATE"
    i += 2 if upsert else 0
    i += 1 if toks[i].up == "INTO" else 0
    name, i = qualified(toks, i)
    table = _catalog.need(name)
    columns = [c.name for c in table.columns]
    if i < len(toks) and toks[i].text == "(" and toks[i + 1].up != "SELECT":
        end = closing(toks, i)
        columns, i = [t.name for t in toks[i + 1 : end] if t.text != ","], end + 1
        for c in columns:
            if table.column(c) is None:
                raise IRISError(-29, " Field '%s' not found in table 'SQLUser.%s'" % (c, table.name))
    if i >= len(toks):
        raise IRISError(-1, " VALUES or SELECT expected")
    if toks[i].up == "VALUES":
        _check_values(toks, i)
        source = translator.sql(toks[i:])
    else:
        if not _config.UNION_PARAMS and any(t.kind == "param" for t in toks[i:]) and any(t.up == "UNION" for t in toks[i:]):
            raise IRISError(-1, " parameters in a UNION select list are refused")
        source = "SELECT * FROM (%s) WHERE 1" % translator.sql(toks[i:])
    sql = "INSERT INTO %s (%s) %s" % (quote(table.name), ",".join(map(quote, columns)), source)
    if upsert:
        given = {c.upper() for c in columns}
        for key in table.keys():
            names = {k.upper() for k in key}
            if not names <= given:
                continue
            sets = ["%s=excluded.%s" % (quote(c), quote(c)) for c in columns if c.upper() not in names]
            sql += " ON CONFLICT (%s) DO %s" % (",".join(map(quote, key)), "UPDATE SET " + ",".join(sets) if sets else "NOTHING")
    return db.execute(sql, params).rowcount


def _check_values(toks, i):
    end = closing(toks, i + 1)
    while end + 1 < len(toks) and toks[end + 1].text == "," and _config.MULTI_ROW_VALUES:
        end = closing(toks, end + 2)
    if end + 1 < len(toks):
        raise IRISError(-25, " Input (%s) encountered after end of query^%s" % (toks[end + 1].text, text(toks[: end + 1])[:90]))


def run(db, sql, params=()):
    """Executes one statement. Returns the description (None without a result set), the rows and the row count."""
    if _VERBATIM.match(sql):
        return None, [], 0  # functions and views are accepted and forgotten
    _raised.error = None
    toks = tokens(sql)
    if not toks:
        raise IRISError(-1, " empty statement")
    wanted = sum(t.kind == "param" for t in toks)
    if len(params) < wanted:
        raise at_run(-400, " %d parameters expected, %d given" % (wanted, len(params)))
    n = 0
    for t in toks:
        if t.kind == "param":
            n += 1
            t.text = "?%d" % n
    params = [_adapt(p) for p in params[:wanted]]
    head = toks[0].up
    translator = Translator(_catalog.column_is_exact)
    try:
        if head in ("SELECT", "WITH"):
            cursor = db.execute(translator.sql(toks), params)
            rows = cursor.fetchall()
            description = _describe.describe(toks, [d[0] for d in cursor.description])
            return description, [tuple(_show(v, d[1]) for v, d in zip(row, description)) for row in rows], len(rows)
        with _write if not db.in_transaction else _unlocked:
            if _transaction(db, toks) or _ddl(db, toks):
                return None, [], 0
            if head == "INSERT" and len(toks) > 2:
                return None, [], _insert(db, toks, params, translator)
            if head in ("UPDATE", "DELETE"):
                return None, [], db.execute(translator.sql(toks), params).rowcount
            if head == "TRUNCATE":
                name, _ = qualified(toks, 2 if toks[1].up == "TABLE" else 1)
                return None, [], db.execute("DELETE FROM %s" % quote(_catalog.need(name).name)).rowcount
    except sqlite3.Error as e:
        raise _sqlite_error(e, sql, head == "UPDATE") from None
    raise IRISError(-1, " %s is not the start of a known statement^%s" % (toks[0].text, sql[:80]))


class _Unlocked:
    def __enter__(self):
        pass

    def __exit__(self, *exc):
        pass


_unlocked = _Unlocked()  # a session with an open transaction holds SQLite's lock, and must not wait for ours

_first = open_session()
_catalog.open_catalog(_first)
_first.close()
