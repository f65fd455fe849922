"""Rewrites the tokens of an IRIS query into SQLite's SQL."""

from . import _vector
from ._errors import IRISError
from ._lexer import Token, closing, split, text, top_level

_REFUSED = {"<=>", "<->", "<#>", "::", "@>", "->", "->>", "{", "}", "]", "$", "@", "#"}
_VIEWS = {"COLUMNS", "TABLES", "INDEXES", "SCHEMATA"}
_RENAMED = {
    "VECTOR_COSINE": "iris_cosine",
    "VECTOR_DOT_PRODUCT": "iris_dot",
    "TO_DATE": "iris_todate",
    "JSON_VALUE": "json_extract",
    "SUBSTR": "iris_substr",
    "SUBSTRING": "iris_substring",
    "%STARTSWITH": "MATCH",
}
_COLLATIONS = {"%EXACT": "BINARY", "%SQLUPPER": "SQLUPPER", "%SQLSTRING": "BINARY"}
_SELECT_ENDS = ("UNION", "INTERSECT", "EXCEPT")


def word(s):
    return Token("word", s)


def op(s):
    return Token("op", s)


def quote(name):
    """A quoted SQLite identifier. Back-quoted, because SQLite reads "x" as a string when it knows no column x."""
    return "`" + name.replace("`", "``") + "`"


class Translator:
    """exact tells for a column name whether its collation is EXACT."""

    def __init__(self, exact):
        self._exact = exact

    def run(self, toks):
        out, i = [], 0
        while i < len(toks):
            i = self._step(toks, i, out)
        return out

    def sql(self, toks):
        return text(self.run(toks))

    def _step(self, toks, i, out):
        t = toks[i]
        following = toks[i + 1] if i + 1 < len(toks) else None
        calls = following is not None and following.text == "("
        if t.kind == "op":
            return self._operator(toks, i, out)
        if t.kind == "quoted":
            if t.name.upper() == "SQLUSER" and following is not None and following.text == ".":
                return i + 2
            out.append(Token("quoted", quote(t.name)))
            return i + 1
        if t.up == "SELECT":
            return self._select(toks, i, out)
        if t.up == "SQLUSER" and following is not None and following.text == ".":
            return i + 2
        if t.up == "INFORMATION_SCHEMA" and following is not None and following.text == ".":
            view = toks[i + 2].name.upper() if i + 2 < len(toks) else ""
            if view not in _VIEWS:
                raise IRISError(-30, " Table 'INFORMATION_SCHEMA.%s' not found" % view)
            out.append(word("is_" + view.lower()))
            return i + 3
        if calls and t.up == "TO_VECTOR":
            return self._to_vector(toks, i, out)
        if calls and t.up in _COLLATIONS:
            end = closing(toks, i + 1)
            out += [op("(")] + self.run(toks[i + 2 : end]) + [word("COLLATE"), word(_COLLATIONS[t.up]), op(")")]
            return end + 1
        if calls and t.up == "ANY" and (i + 2 >= len(toks) or toks[i + 2].up != "SELECT"):
            raise IRISError(-1, " SELECT expected, %s found ^ANY (" % (toks[i + 2].text if i + 2 < len(toks) else "end"))
        if t.up == "LIKE":
            out.append(word("LIKE" if self._operand_is_exact(out) else "REGEXP"))
            return i + 1
        if t.up == "AS" and following is not None and following.up in ("TIMESTAMP", "DATE", "TIME"):
            out += [t, word("TEXT")]
            return i + 2
        if t.up == "RETURNING":
            raise IRISError(-25, " Input (RETURNING) encountered after end of query")
        out.append(word(_RENAMED[t.up]) if t.up in _RENAMED else t)
        return i + 1

    def _operator(self, toks, i, out):
        t = toks[i]
        if t.text == "[":
            out.append(word("GLOB"))  # "contains"; SQLite's GLOB calls our function
            return i + 1
        if t.text == ";":
            raise IRISError(-25, " Input (;) encountered after end of query^%s" % text(toks[:i])[:80])
        if t.text == ":":
            raise IRISError(-400, " host variable ':' is not allowed")
        if t.text in _REFUSED:
            raise IRISError(-1, " A term expected, '%s' found ^%s" % (t.text, text(toks)[:80]))
        out.append(t)
        return i + 1

    def _to_vector(self, toks, i, out):
        end = closing(toks, i + 1)
        args = split(toks[i + 2 : end])
        if len(args) > 1:
            kind = args[1]
            if len(kind) != 1 or kind[0].kind != "word":
                raise IRISError(-1, " ) expected, %s found ^TO_VECTOR(...,%s" % (kind[-1].text, text(kind)))
            if not _vector.known_type(kind[0].text):
                raise IRISError(-1, " TO_VECTOR type %s not known" % kind[0].text)
            args[1] = [Token("str", "'%s'" % kind[0].up)]
        out += [word("iris_tovector"), op("(")]
        for n, arg in enumerate(args):
            if n:
                out.append(op(","))
            out += self.run(arg)
        out.append(op(")"))
        return end + 1

    def _select(self, toks, i, out):
        """Moves TOP n to a LIMIT at the end of its own SELECT."""
        out.append(toks[i])
        i += 1
        while i < len(toks) and toks[i].up in ("DISTINCT", "ALL"):
            out.append(toks[i])
            i += 1
        if i + 1 >= len(toks) or toks[i].up != "TOP":
            return i
        count = toks[i + 1]
        if count.kind != "param" and not count.text.isdigit():
            raise IRISError(-1, " TOP needs an integer, %s found" % count.text)
        start, end = i + 2, len(toks)
        for j, t in top_level(toks, start):
            if t.up in _SELECT_ENDS:
                end = j
                break
            if t.up in ("LIMIT", "FETCH"):
                raise IRISError(-386, " TOP and %s in one query" % t.up)
        else:
            end = self._level_end(toks, start)
        out += self.run(toks[start:end]) + [word("LIMIT"), count]
        return end

    @staticmethod
    def _level_end(toks, start):
        depth = 0
        for j in range(start, len(toks)):
            if toks[j].text == "(" and toks[j].kind == "op":
                depth += 1
            elif toks[j].text == ")" and toks[j].kind == "op":
                if depth == 0:
                    return j
                depth -= 1
        return len(toks)

    def _operand_is_exact(self, out):
        """Whether the expression that ends out compares with EXACT collation."""
        last = out[-1] if out else None
        if last is not None and last.up == "NOT":
            last = out[-2] if len(out) > 1 else None
        if last is None:
            return False
        if last.text == ")":
            return len(out) > 2 and out[-2].up == "BINARY" and out[-3].up == "COLLATE"
        return last.is_name and self._exact(last.text.strip("`"))
