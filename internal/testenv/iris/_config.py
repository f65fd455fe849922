"""The switches of the stand-in, read once from the environment."""

import os


def _flag(name):
    return os.environ.get(name, "0") == "1"


MODE = os.environ.get("IRISFAKE_MODE", "external")
DB = os.environ.get("IRISFAKE_DB", "iris-standin.sqlite")
LOG = os.environ.get("IRISFAKE_LOG")

MAX_CONNECTIONS = int(os.environ.get("IRISFAKE_MAX_CONNECTIONS", "0"))
LOCK_TIMEOUT = float(os.environ.get("IRISFAKE_LOCK_TIMEOUT", "10"))

COLLATION = os.environ.get("IRISFAKE_COLLATION", "SQLUPPER").upper()  # SQLUPPER | EXACT
EMPTY_AS_NULL = _flag("IRISFAKE_EMPTY_AS_NULL")  # a bound '' arrives as NULL
MULTI_ROW_VALUES = _flag("IRISFAKE_MULTI_ROW_VALUES")  # accept VALUES (..),(..)
UNION_PARAMS = not _flag("IRISFAKE_REFUSE_UNION_PARAMS")  # ? in the select list of an INSERT .. SELECT

HNSW = os.environ.get("IRISFAKE_HNSW", "full")  # full | distance | bare | none
VECTOR_TEXT_IN = not _flag("IRISFAKE_REFUSE_VECTOR_TEXT")  # plain text into a VECTOR column
VECTOR_CONVERT = _flag("IRISFAKE_CONVERT_VECTORS")  # store TO_VECTOR(.., DOUBLE) in a FLOAT column
VECTOR_PAD = _flag("IRISFAKE_PAD_VECTORS")  # fill a short vector with zeros instead of -104
VECTOR_TEXT_OUT = os.environ.get("IRISFAKE_VECTOR_TEXT", "python")  # python | canonical | brackets
VECTOR_DATA_TYPE = os.environ.get("IRISFAKE_VECTOR_DATA_TYPE", "varchar")  # in INFORMATION_SCHEMA.COLUMNS

DOUBLE_CODE = int(os.environ.get("IRISFAKE_DOUBLE_CODE", "8"))
COUNT_CODE = int(os.environ.get("IRISFAKE_COUNT_CODE", "-5"))
