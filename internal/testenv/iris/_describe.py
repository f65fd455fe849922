"""Names and type codes of the columns of a SELECT, as cursor.description shows them."""

from . import _catalog, _config
from ._errors import IRISError
from ._lexer import qualified, split, top_level

_LITERAL = 4  # measured by upstream on IRIS 2026.2: a literal of any type says 4
_TEXT = 12


class _Namer:
    """IRIS numbers the columns that have no name of their own."""

    def __init__(self):
        self._counts = {}

    def next(self, kind):
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return "%s_%d" % (kind, self._counts[kind])


def describe(toks, fallback):
    """fallback: SQLite's own names, used with text types where the select list is not understood."""
    plain = [(name, _TEXT) for name in fallback]
    if toks[0].up != "SELECT":
        return plain
    items, tables = _parts(toks)
    out, names = [], _Namer()
    for item in items:
        if not item:
            return plain
        if item[-1].text == "*":
            if not tables:
                return plain
            out += [(c.name, _catalog.CODES[c.base]) for c in tables[0].columns]
            continue
        alias, expr = None, item
        if len(item) > 2 and item[-2].up == "AS":
            alias, expr = item[-1].name, item[:-2]
        elif len(item) > 1 and item[-1].is_name and item[-1].up != "END" and (item[-2].text == ")" or item[-2].kind != "op"):
            alias, expr = item[-1].name, item[:-1]
        name, code = _column(expr, tables, names)
        out.append((alias or name, code))
    return out if len(out) == len(fallback) else plain


def _parts(toks):
    """The items of the select list, and the tables named after FROM and JOIN."""
    i = 1
    while i < len(toks) and toks[i].up in ("DISTINCT", "ALL"):
        i += 1
    if i < len(toks) and toks[i].up == "TOP":
        i += 2
    end = len(toks)
    for j, t in top_level(toks, i):
        if t.up in ("FROM", "UNION", "WHERE", "ORDER", "LIMIT"):
            end = j
            break
    tables = []
    for j in range(end, len(toks)):
        if toks[j].up in ("FROM", "JOIN") or toks[j].text == ",":
            try:
                name, _ = qualified(toks, j + 1)
            except IRISError:
                continue
            if _catalog.find(name):
                tables.append(_catalog.find(name))
    return split(toks[i:end]), tables


def _lookup(tables, name):
    for t in tables:
        c = t.column(name)
        if c is not None:
            return c
    return None


def _column(expr, tables, names):
    head = expr[0]
    if len(expr) == 1 and head.kind in ("num", "str"):
        return names.next("HostVar"), _LITERAL
    if len(expr) == 1 and head.kind == "param":
        return names.next("HostVar"), _TEXT
    if head.up != "NULL" and expr[-1].is_name and all(t.text == "." for t in expr[1::2]):
        c = _lookup(tables, expr[-1].name)
        return (c.name, _catalog.CODES[c.base]) if c else (expr[-1].name, _TEXT)
    if head.up == "COUNT":
        return names.next("Aggregate"), _config.COUNT_CODE
    if head.up in ("SUM", "MAX", "MIN", "AVG"):
        c = _lookup(tables, expr[2].name) if len(expr) > 2 and expr[2].is_name else None
        return names.next("Aggregate"), _catalog.CODES[c.base] if c else 2
    if any(t.up in ("VECTOR_COSINE", "VECTOR_DOT_PRODUCT") for t in expr):
        return names.next("Expression"), _catalog.CODES["DOUBLE"]
    if head.up == "CAST":
        words = [t.up for t in expr]
        kind = words[words.index("AS") + 1] if "AS" in words else "VARCHAR"
        return names.next("Expression"), _catalog.CODES.get(_catalog.base_type(kind), _TEXT)
    return names.next("Expression"), _TEXT
