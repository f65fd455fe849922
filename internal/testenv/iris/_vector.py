"""Vectors as values: parsing, storage form, text form and the two similarity functions.

A stored vector is b"\\x01V", one letter for the element type, then the elements
as little endian float64. FLOAT elements have been rounded to float32.
"""

import functools
import math
import operator
import struct

from . import _config
from ._errors import IRISError, at_run

_LETTER = {"FLOAT": b"f", "DOUBLE": b"d", "DECIMAL": b"m", "INTEGER": b"i", "INT": b"i"}
_NAME = {b"f": "FLOAT", b"d": "DOUBLE", b"m": "DECIMAL", b"i": "INTEGER"}
_HEAD = 3


def known_type(name):
    return name.upper() in _LETTER


def canonical_type(name):
    return _NAME[_LETTER[name.upper()]]


def is_vector(v):
    return isinstance(v, bytes) and v[:2] == b"\x01V"


def element(v):
    return _NAME[v[2:3]]


def length(v):
    return (len(v) - _HEAD) // 8


def values(v):
    return struct.unpack("<%dd" % length(v), v[_HEAD:])


def _pack(type_name, xs):
    letter = _LETTER[type_name.upper()]
    if letter == b"f":
        try:
            xs = struct.unpack("<%df" % len(xs), struct.pack("<%df" % len(xs), *xs))
        except OverflowError:
            raise at_run(-400, " TO_VECTOR element out of range")
    elif letter == b"i":
        xs = [float(int(x)) for x in xs]
    return b"\x01V" + letter + struct.pack("<%dd" % len(xs), *xs)


@functools.lru_cache(maxsize=16)  # SQLite calls TO_VECTOR of a parameter for every row
def parse(text, type_name, n=None):
    """TO_VECTOR: a comma list, brackets allowed, padded with zeros up to n."""
    if not known_type(type_name):
        raise IRISError(-1, " TO_VECTOR type %s not known" % type_name)
    s = str(text).strip()
    if s.startswith("[") and s.endswith("]"):
        s = s[1:-1].strip()
    try:
        xs = [float(t) for t in s.split(",")] if s else []
    except ValueError:
        raise at_run(-400, " TO_VECTOR could not convert '%s'" % s[:60])
    if not all(map(math.isfinite, xs)):
        raise at_run(-400, " TO_VECTOR element is not finite")
    if n is not None:
        if len(xs) > int(n):
            raise at_run(-257, " TO_VECTOR data is longer than %d" % int(n))
        xs += [0.0] * (int(n) - len(xs))
    return _pack(type_name, xs)


def store(v, type_name, n, table, column):
    """The value that a VECTOR(type_name, n) column keeps for v, or the error of its validation."""

    def refuse(why):
        shown = to_text(v)[:24] if is_vector(v) else str(v)[:24]
        return at_run(-104, " Field 'SQLUser.%s.%s' (value '%s') failed validation%s" % (table, column, shown, why))

    if not is_vector(v):
        if not _config.VECTOR_TEXT_IN:
            raise refuse("")
        try:
            v = parse(v, type_name)
        except IRISError:
            raise refuse("")
    if element(v) != canonical_type(type_name):
        if not _config.VECTOR_CONVERT:
            raise at_run(-259, " value is %s, column '%s.%s' is %s" % (element(v), table, column, canonical_type(type_name)))
        v = _pack(type_name, values(v))
    if n and length(v) != n:
        if length(v) < n and _config.VECTOR_PAD:
            return _pack(type_name, list(values(v)) + [0.0] * (n - length(v)))
        raise refuse(" (length %d, declared %d)" % (length(v), n))
    return v


def _shortest(x, single):
    """The shortest decimal that reads back as the same float32, or as the same float64."""
    if not single:
        return repr(x)
    for digits in range(6, 10):
        s = "%.*g" % (digits, x)
        if struct.unpack("<f", struct.pack("<f", float(s)))[0] == x:
            break
    return s if any(c in s for c in ".en") else s + ".0"


def _canonical(s):
    """IRIS's canonical number: no leading zero, no trailing ones, E for the exponent."""
    mantissa, _, exponent = s.partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    sign, digits = ("-", mantissa[1:]) if mantissa.startswith("-") else ("", mantissa)
    if digits.startswith("0") and len(digits) > 1:
        digits = digits[1:]
    if digits in ("", "0"):
        return "0"
    return sign + digits + ("E" + exponent if exponent else "")


def to_text(v):
    kind = v[2:3]
    if kind == b"i":
        parts = [str(int(x)) for x in values(v)]
    else:
        parts = [_shortest(x, kind == b"f") for x in values(v)]
    if _config.VECTOR_TEXT_OUT == "canonical":
        parts = [_canonical(p) for p in parts]
    joined = ",".join(parts)
    return "[" + joined + "]" if _config.VECTOR_TEXT_OUT == "brackets" else joined


def _pair(a, b):
    if a is None or b is None:
        return None
    if not is_vector(a) or not is_vector(b):
        raise at_run(-258, " both arguments must be vectors")
    if element(a) != element(b):
        raise at_run(-259, " vectors are %s and %s" % (element(a), element(b)))
    if len(a) != len(b):
        raise at_run(-257, " vectors have lengths %d and %d" % (length(a), length(b)))
    return _unpacked(a), _unpacked(b)


@functools.lru_cache(maxsize=4096)  # so that a search of a small table costs little beside the wire
def _unpacked(v):
    """The elements of a vector, and their norm."""
    xs = values(v)
    return xs, math.sqrt(_sum_of_products(xs, xs))


def _sum_of_products(a, b):
    return sum(map(operator.mul, a, b))


def dot(a, b):
    pair = _pair(a, b)
    return None if pair is None else _sum_of_products(pair[0][0], pair[1][0])


def cosine(a, b):
    pair = _pair(a, b)
    if pair is None:
        return None
    (x, nx), (y, ny) = pair
    return _sum_of_products(x, y) / (nx * ny) if nx * ny else None
