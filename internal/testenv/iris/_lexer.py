"""Splits SQL text into tokens, and finds its way in lists of tokens."""

import re

from ._errors import IRISError

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<line>--[^\n]*)
      | (?P<block>/\*.*?\*/)
      | (?P<str>'(?:[^']|'')*')
      | (?P<quoted>"(?:[^"]|"")*")
      | (?P<num>\d+\.\d*(?:[eE][-+]?\d+)?|\d+(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)
      | (?P<word>%?[A-Za-z_][A-Za-z0-9_@$\#]*)
      | (?P<param>\?)
      | (?P<op><=>|<->|<\#>|::|\|\||<=|>=|<>|!=|->>|->|@>|[-+*/=<>(),.;:\[\]{}\\!&|%^~@\#$])""",
    re.X | re.S,
)
_SKIPPED = ("space", "line", "block")


class Token:
    """kind: str, quoted, num, word, param or op. text: as written. up: the upper-cased word, else ''."""

    __slots__ = ("kind", "text", "up")

    def __init__(self, kind, text):
        self.kind = kind
        self.text = text
        self.up = text.upper() if kind == "word" else ""

    @property
    def is_name(self):
        return self.kind in ("word", "quoted")

    @property
    def name(self):
        """The identifier without its quotes."""
        return self.text[1:-1].replace('""', '"') if self.kind == "quoted" else self.text


def tokens(sql):
    out, i = [], 0
    while i < len(sql):
        m = _TOKEN.match(sql, i)
        if not m:
            if sql[i] == "'":
                raise IRISError(-3, " Closing quote missing")
            raise IRISError(-1, " Unexpected character '%s' ^%s" % (sql[i], sql[:60]))
        if m.lastgroup not in _SKIPPED:
            out.append(Token(m.lastgroup, m.group()))
        i = m.end()
    return out


def text(toks):
    return " ".join(t.text for t in toks)


def closing(toks, i):
    """The index of the parenthesis that closes the one at i."""
    depth = 0
    for j in range(i, len(toks)):
        if toks[j].text == "(" and toks[j].kind == "op":
            depth += 1
        elif toks[j].text == ")" and toks[j].kind == "op":
            depth -= 1
            if depth == 0:
                return j
    raise IRISError(-1, " ) expected, end of statement found")


def split(toks):
    """Splits on the commas that are outside all parentheses."""
    out, current, depth = [], [], 0
    for t in toks:
        if t.kind == "op":
            if t.text == "(":
                depth += 1
            elif t.text == ")":
                depth -= 1
            elif t.text == "," and depth == 0:
                out.append(current)
                current = []
                continue
        current.append(t)
    out.append(current)
    return out


def top_level(toks, start=0):
    """Yields (index, token) of the tokens outside parentheses; stops at the one that closes the level."""
    depth = 0
    for j in range(start, len(toks)):
        t = toks[j]
        if t.kind == "op" and t.text == "(":
            depth += 1
        elif t.kind == "op" and t.text == ")":
            if depth == 0:
                return
            depth -= 1
        elif depth == 0:
            yield j, t


def qualified(toks, i):
    """Reads [schema.]name at i. Returns the name (with its schema unless SQLUser) and the next index."""
    if i >= len(toks) or not toks[i].is_name:
        raise IRISError(-1, " IDENTIFIER expected, %s found" % (toks[i].text if i < len(toks) else "end"))
    name, i = toks[i].name, i + 1
    if i + 1 < len(toks) and toks[i].text == "." and toks[i + 1].is_name:
        schema, name, i = name, toks[i + 1].name, i + 2
        if schema.upper() != "SQLUSER":
            name = schema + "." + name
    return name, i
