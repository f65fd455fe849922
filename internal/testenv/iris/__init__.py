"""A stand-in for InterSystems' Python driver (`import iris`), backed by SQLite.

This is NOT IRIS. It lets the real iris-pgwire server run on a machine that has
no IRIS, so that a client can be tested against the server's protocol handling
and SQL rewriting. Nothing that comes out of it is evidence about IRIS.

IRISFAKE_MODE=external (default): `iris.connect` and `iris.dbapi.connect` exist.
IRISFAKE_MODE=embedded: `iris.sql.exec` exists too and `iris.connect` refuses,
as inside an IRIS process; iris-pgwire then takes its embedded path.
"""

from . import _config

if _config.MODE == "embedded":
    from . import _embedded as sql

    def connect(*args, **kwargs):
        raise RuntimeError("Cannot call an iris.package wrapper. Given name was: connect")

else:
    from .dbapi import connect

createConnection = connect
