"""Tables, columns and indexes: DDL, and what INFORMATION_SCHEMA shows of them."""

import json
import re
import threading

from . import _config, _vector
from ._errors import IRISError, at_run
from ._lexer import closing, qualified, split
from ._translate import quote

# DDL type -> base type
_TYPES = {
    "INT": "INTEGER", "INTEGER": "INTEGER", "SERIAL": "INTEGER", "BIGINT": "BIGINT", "SMALLINT": "SMALLINT", "TINYINT": "TINYINT",
    "DOUBLE": "DOUBLE", "FLOAT": "DOUBLE", "REAL": "DOUBLE", "NUMERIC": "NUMERIC", "DECIMAL": "NUMERIC",
    "VARCHAR": "VARCHAR", "CHAR": "VARCHAR", "LONGVARCHAR": "LONGVARCHAR", "TEXT": "LONGVARCHAR", "CLOB": "LONGVARCHAR",
    "BIT": "BIT", "BOOLEAN": "BIT", "TIMESTAMP": "TIMESTAMP", "DATETIME": "TIMESTAMP", "DATE": "DATE", "TIME": "TIME",
    "VARBINARY": "VARBINARY", "BINARY": "VARBINARY", "LONGVARBINARY": "LONGVARBINARY", "BLOB": "LONGVARBINARY", "VECTOR": "VECTOR",
}  # fmt: skip
# The type codes of cursor.description, as upstream measured them on IRIS 2026.2 (iris-pgwire 1.7.3, dbapi_executor.py).
CODES = {
    "INTEGER": 4, "BIGINT": -5, "SMALLINT": 5, "TINYINT": -6, "DOUBLE": _config.DOUBLE_CODE, "NUMERIC": 2, "BIT": -7,
    "VARCHAR": 12, "LONGVARCHAR": -1, "VARBINARY": -3, "LONGVARBINARY": -4, "VECTOR": 12,
    "DATE": 1091, "TIME": 1092, "TIMESTAMP": 1093,
}  # fmt: skip
_AFFINITY = {
    "INTEGER": "INT", "BIGINT": "INT", "SMALLINT": "INT", "TINYINT": "INT", "BIT": "INT", "DOUBLE": "REAL", "NUMERIC": "NUMERIC",
    "VARBINARY": "BLOB", "LONGVARBINARY": "BLOB", "VECTOR": "BLOB",
}  # fmt: skip
_BITS = {"INTEGER": 31, "BIGINT": 63, "SMALLINT": 15, "TINYINT": 7}
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d+)?)?")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS fake_tables (name TEXT PRIMARY KEY, json TEXT);
CREATE TABLE IF NOT EXISTS is_columns (TABLE_SCHEMA TEXT, TABLE_NAME TEXT, COLUMN_NAME TEXT, ORDINAL_POSITION INT, COLUMN_DEFAULT TEXT,
  IS_NULLABLE TEXT, DATA_TYPE TEXT, CHARACTER_MAXIMUM_LENGTH INT, NUMERIC_PRECISION INT, NUMERIC_SCALE INT);
CREATE TABLE IF NOT EXISTS is_tables (TABLE_SCHEMA TEXT, TABLE_NAME TEXT, TABLE_TYPE TEXT);
CREATE TABLE IF NOT EXISTS is_indexes (TABLE_SCHEMA TEXT, TABLE_NAME TEXT, INDEX_NAME TEXT, NON_UNIQUE INT, COLUMN_NAME TEXT,
  PRIMARY_KEY INT, INDEX_TYPE TEXT);
CREATE TABLE IF NOT EXISTS is_schemata (SCHEMA_NAME TEXT PRIMARY KEY);
INSERT OR IGNORE INTO is_schemata VALUES ('SQLUser'), ('INFORMATION_SCHEMA');
"""

_tables = {}  # upper-cased name -> Table
_lock = threading.RLock()


class Column:
    def __init__(self, name, base, element=None, size=None, required=False, default=None, exact=False):
        self.name = name
        self.base = base
        self.element = element  # of a VECTOR
        self.size = size  # of a VARCHAR or VECTOR; None: no limit
        self.required = required
        self.default = default
        self.exact = exact

    @property
    def is_text(self):
        return self.base in ("VARCHAR", "LONGVARCHAR")

    def ddl(self, table):
        parts = [quote(self.name), _AFFINITY.get(self.base, "TEXT")]
        if self.base == "VARCHAR" and not self.exact:
            parts.append("COLLATE SQLUPPER")
        if self.required:
            parts.append("NOT NULL")
        if self.default is not None:
            parts.append("DEFAULT " + self.default)
        parts.append("CHECK (iris_check('%s', '%s', %s))" % (table.replace("'", "''"), self.name.replace("'", "''"), quote(self.name)))
        return " ".join(parts)


class Table:
    def __init__(self, name, columns, primary, unique):
        self.name = name
        self.columns = columns
        self.primary = primary
        self.unique = unique

    def column(self, name):
        for c in self.columns:
            if c.name.upper() == name.upper():
                return c
        return None

    def keys(self):
        return ([self.primary] if self.primary else []) + self.unique

    def dump(self):
        return json.dumps([self.name, [vars(c) for c in self.columns], self.primary, self.unique])

    @classmethod
    def load(cls, text):
        name, columns, primary, unique = json.loads(text)
        return cls(name, [Column(**c) for c in columns], primary, unique)


def open_catalog(db):
    """Makes the catalog in a new database and reads it from an old one."""
    db.executescript(_SCHEMA)
    with _lock:
        for (text,) in db.execute("SELECT json FROM fake_tables"):
            t = Table.load(text)
            _tables[t.name.upper()] = t


def find(name):
    return _tables.get(name.upper())


def need(name):
    t = find(name)
    if t is None:
        raise IRISError(-30, " Table 'SQLUSER.%s' not found" % name.upper())
    return t


def column_is_exact(name):
    """Whether a column of that name compares with EXACT collation. Columns of one name agree in tests."""
    for t in list(_tables.values()):
        c = t.column(name)
        if c is not None:
            return c.exact or not c.is_text
    return False


def check(table, column, v):
    """Validates one value that a row is about to keep."""
    t = find(table)
    c = t.column(column) if t else None
    if c is None or v is None:
        return 1

    def refuse():
        return at_run(-104, " Field 'SQLUser.%s.%s' (value '%s') failed validation" % (table, column, str(v)[:40]))

    if c.base == "VECTOR":
        _vector.store(v, c.element, c.size, table, column)
    elif c.base == "VARCHAR":
        if c.size and len(str(v)) > c.size:
            raise refuse()
    elif c.base in _BITS:
        if not isinstance(v, int) or not -(2 ** _BITS[c.base]) <= v < 2 ** _BITS[c.base]:
            raise refuse()
    elif c.base == "BIT":
        if v not in (0, 1):
            raise refuse()
    elif c.base in ("DOUBLE", "NUMERIC"):
        if not isinstance(v, (int, float)):
            raise refuse()
    elif c.base == "TIMESTAMP":
        if not _TIMESTAMP.fullmatch(str(v)):
            raise refuse()
    return 1


def normal(table, column, v):
    """The stored form of a vector that was given as text or needs padding."""
    c = need(table).column(column)
    return None if v is None else _vector.store(v, c.element, c.size, table, column)


def _column(toks):
    """Reads one column definition. Returns the column, and whether it is the primary key or unique."""
    if len(toks) < 2 or not toks[1].up:
        raise IRISError(-1, " data type expected after %s" % toks[0].text)
    name, kind, i = toks[0].name, toks[1].up, 2
    if kind not in _TYPES:
        raise IRISError(-400, " ERROR #5540: data type %s not known" % kind)
    c = Column(name, _TYPES[kind], exact=_config.COLLATION == "EXACT")
    if kind == "DOUBLE" and i < len(toks) and toks[i].up == "PRECISION":
        i += 1
    if i < len(toks) and toks[i].text == "(":
        end = closing(toks, i)
        args, i = split(toks[i + 1 : end]), end + 1
        if c.base == "VECTOR":
            if len(args[0]) != 1 or not _vector.known_type(args[0][0].text):
                raise IRISError(-1, " VECTOR element type %s not known" % " ".join(t.text for t in args[0]))
            c.element = args[0][0].up
            c.size = int(args[1][0].text) if len(args) > 1 else None
        elif c.base == "VARCHAR":
            c.size = int(args[0][0].text)
    elif c.base == "VARCHAR":
        c.size = 1
    elif c.base == "VECTOR":
        c.element = "FLOAT"
    rest = [t.up for t in toks[i:]]
    for n, w in enumerate(rest):
        if w == "NOT" and rest[n + 1 : n + 2] == ["NULL"]:
            c.required = True
        elif w == "DEFAULT" and i + n + 1 < len(toks):
            c.default = toks[i + n + 1].text
        elif w == "COLLATE" and i + n + 1 < len(toks):
            c.exact = toks[i + n + 1].up in ("%EXACT", "EXACT", "%SQLSTRING", "SQLSTRING")
    primary = "PRIMARY" in rest
    if primary:
        c.required = True
    return c, primary, "UNIQUE" in rest


def create_table(db, toks):
    i, tolerant = 2, False
    if toks[i].up == "IF":
        i, tolerant = i + 3, True
    name, i = qualified(toks, i)
    if i >= len(toks) or toks[i].text != "(":
        raise IRISError(-1, " ( expected")
    end = closing(toks, i)
    columns, primary, unique = [], [], []
    for item in split(toks[i + 1 : end]):
        if not item:
            raise IRISError(-1, " IDENTIFIER expected")
        head = item[2].up if item[0].up == "CONSTRAINT" and len(item) > 2 else item[0].up
        if head in ("PRIMARY", "UNIQUE") and any(t.text == "(" for t in item):
            start = next(n for n, t in enumerate(item) if t.text == "(")
            names = [t.name for t in item[start + 1 : closing(item, start)] if t.is_name]
            if head == "PRIMARY":
                primary = names
            else:
                unique.append(names)
            continue
        c, is_primary, is_unique = _column(item)
        columns.append(c)
        if is_primary:
            primary = [c.name]
        elif is_unique:
            unique.append([c.name])
    if toks[end + 1 :] and toks[end + 1].up != "WITH":
        raise IRISError(-25, " Input (%s) encountered after end of query" % toks[end + 1].text)
    t = Table(name, columns, primary, unique)
    with _lock:
        if find(name):
            if tolerant:
                return
            raise IRISError(-201, " Table 'SQLUser.%s' already exists" % name, "Execute")
        parts = [c.ddl(name) for c in columns]
        parts += ["PRIMARY KEY (%s)" % ",".join(map(quote, primary))] if primary else []
        parts += ["UNIQUE (%s)" % ",".join(map(quote, u)) for u in unique]
        _tables[name.upper()] = t
        try:
            db.execute("CREATE TABLE %s (%s)" % (quote(name), ", ".join(parts)))
            for c in columns:
                if c.base == "VECTOR":
                    _normalising_triggers(db, name, c)
        except Exception:
            del _tables[name.upper()]
            raise
        db.execute("INSERT INTO fake_tables VALUES (?, ?)", (name.upper(), t.dump()))
        _show(db, t)


def _normalising_triggers(db, table, c):
    """Vectors given as text are stored as vectors."""
    for event in ("INSERT", "UPDATE"):
        db.execute(
            "CREATE TRIGGER %s AFTER %s ON %s WHEN NEW.%s IS NOT NULL AND iris_raw('%s', '%s', NEW.%s) BEGIN "
            "UPDATE %s SET %s = iris_normal('%s', '%s', NEW.%s) WHERE rowid = NEW.rowid; END"
            % (
                quote("normal_%s_%s_%s" % (event, table, c.name)), event, quote(table), quote(c.name), table, c.name, quote(c.name),
                quote(table), quote(c.name), table, c.name, quote(c.name),
            )  # fmt: skip
        )


def is_raw(table, column, v):
    c = need(table).column(column)
    return int(not _vector.is_vector(v) or _vector.element(v) != _vector.canonical_type(c.element) or bool(c.size) and _vector.length(v) != c.size)


def _show(db, t):
    db.execute("INSERT INTO is_tables VALUES ('SQLUser', ?, 'BASE TABLE')", (t.name,))
    for n, c in enumerate(t.columns):
        kind = _config.VECTOR_DATA_TYPE if c.base == "VECTOR" else c.base.lower()
        size = c.size if c.base == "VARCHAR" else (2147483647 if c.base == "LONGVARCHAR" else None)
        db.execute(
            "INSERT INTO is_columns VALUES ('SQLUser', ?, ?, ?, ?, ?, ?, ?, NULL, NULL)",
            (t.name, c.name, n + 1, c.default, "NO" if c.required else "YES", kind, size),
        )
    for name in t.primary:
        db.execute("INSERT INTO is_indexes VALUES ('SQLUser', ?, ?, 0, ?, 1, 'key')", (t.name, t.name.upper() + "_PKEY1", name))


def drop_table(db, toks):
    i, tolerant = 2, False
    if toks[i].up == "IF":
        i, tolerant = i + 2, True
    name, i = qualified(toks, i)
    with _lock:
        t = find(name)
        if t is None:
            if tolerant:
                return
            need(name)
        db.execute("DROP TABLE %s" % quote(t.name))
        db.execute("DELETE FROM fake_tables WHERE name = ?", (name.upper(),))
        for view in ("is_tables", "is_columns", "is_indexes"):
            db.execute("DELETE FROM %s WHERE TABLE_NAME = ?" % view, (t.name,))
        del _tables[name.upper()]


def create_index(db, toks):
    i = 1
    unique = toks[i].up == "UNIQUE"
    i += 2 if unique else 1
    if i < len(toks) and toks[i].up == "IF":
        raise IRISError(-1, " ON expected, NOT found ^CREATE INDEX IF")
    index, i = toks[i].name, i + 1
    if i >= len(toks) or toks[i].up != "ON":
        raise IRISError(-1, " ON expected, %s found" % (toks[i].text if i < len(toks) else "end"))
    i += 2 if toks[i + 1].up == "TABLE" else 1
    name, i = qualified(toks, i)
    t = need(name)
    if i >= len(toks) or toks[i].text != "(":
        raise IRISError(-1, " ( expected, %s found" % (toks[i].text if i < len(toks) else "end"))
    end = closing(toks, i)
    columns = []
    for item in split(toks[i + 1 : end]):
        c = t.column(item[0].name)
        if c is None:
            raise IRISError(-29, " Field '%s' not found in table 'SQLUser.%s'" % (item[0].name, name))
        columns.append(c)
    kind = _index_kind(toks[end + 1 :], t, index, columns)
    with _lock:
        if db.execute("SELECT 1 FROM is_indexes WHERE TABLE_NAME = ? AND upper(INDEX_NAME) = ?", (t.name, index.upper())).fetchone():
            raise IRISError(-324, " Index '%s' already exists for table 'SQLUser.%s'" % (index, name), "Execute")
        if unique or kind == "index" and not any(c.base == "VECTOR" for c in columns):
            names = ",".join(quote(c.name) for c in columns)
            db.execute("CREATE %sINDEX %s ON %s (%s)" % ("UNIQUE " if unique else "", quote("ix_" + t.name + "_" + index), quote(t.name), names))
        for c in columns:
            db.execute("INSERT INTO is_indexes VALUES ('SQLUser', ?, ?, ?, ?, 0, ?)", (t.name, index, int(not unique), c.name, kind))


def _index_kind(tail, table, index, columns):
    if not tail:
        return "index"
    if tail[0].up != "AS" or len(tail) < 2:
        raise IRISError(-25, " Input (%s) encountered after end of query" % tail[0].text)
    kind = tail[1].up
    if kind in ("BITMAP", "COLUMNAR"):
        return kind.lower()
    if kind != "HNSW":
        raise IRISError(-1, " index type %s not known" % kind)
    options = {}
    if len(tail) > 2:
        for o in split(tail[3 : closing(tail, 2)]):
            if len(o) != 3:
                raise IRISError(-1, " option expected, %s found" % " ".join(t.text for t in o))
            options[o[0].up] = o[2].text.strip("'\"")
    accepted = {"full": {"DISTANCE", "M", "EFCONSTRUCTION"}, "distance": {"DISTANCE"}, "bare": set(), "none": None}[_config.HNSW]
    if accepted is None:
        raise IRISError(-400, " ERROR: index type HNSW is not available", "Execute")
    for o in options:
        if o not in accepted:
            raise IRISError(-400, " ERROR #5480: Index parameter not declared: User.%s:%s:%s" % (table.name, index, o), "Execute")
    if options.get("DISTANCE", "Cosine").upper() not in ("COSINE", "DOTPRODUCT"):
        raise IRISError(-400, " ERROR: Distance %s" % options["DISTANCE"], "Execute")
    if len(columns) != 1 or columns[0].base != "VECTOR" or not columns[0].size:
        raise IRISError(-400, " ERROR: an HNSW index needs one VECTOR field of fixed length", "Execute")
    return "hnsw"


def drop_index(db, toks):
    i, tolerant = 2, False
    if toks[i].up == "IF":
        i, tolerant = i + 2, True
    index, i = toks[i].name, i + 1
    table = None
    if i < len(toks) and toks[i].text == ".":
        table, index, i = index, toks[i + 1].name, i + 2
    if i < len(toks) and toks[i].up == "ON":
        i += 2 if toks[i + 1].up == "TABLE" else 1
        table, i = qualified(toks, i)
    where, args = "upper(INDEX_NAME) = ?", [index.upper()]
    if table:
        where, args = where + " AND upper(TABLE_NAME) = ?", args + [table.upper()]
    row = db.execute("SELECT TABLE_NAME FROM is_indexes WHERE " + where, args).fetchone()
    if row is None:
        if tolerant:
            return
        raise IRISError(-333, " Index '%s' not found" % index, "Execute")
    db.execute("DELETE FROM is_indexes WHERE " + where, args)
    db.execute("DROP INDEX IF EXISTS %s" % quote("ix_" + row[0] + "_" + index))


def base_type(ddl_type):
    return _TYPES.get(ddl_type, "VARCHAR")
