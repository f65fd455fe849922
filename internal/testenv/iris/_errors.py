"""IRIS error numbers and the text form in which the driver reports them."""

TEXT = {
    -1: "Invalid SQL statement",
    -3: "Closing quote (') missing",
    -12: "A term expected, beginning with one of the following: identifier, constant, aggregate",
    -25: "Input encountered after end of query",
    -29: "Field not found in the applicable tables",
    -30: "Table or view not found",
    -62: "Incorrect number of values",
    -104: "Field validation failed in INSERT, or value failed to convert in DisplayToLogical or OdbcToLogical",
    -108: "Required field missing; INSERT or UPDATE not allowed",
    -110: "Locking conflict in filing",
    -119: "UNIQUE or PRIMARY KEY constraint failed uniqueness check upon INSERT",
    -120: "UNIQUE or PRIMARY KEY constraint failed uniqueness check upon UPDATE",
    -201: "Table or view name not unique",
    -257: "Vectors have different lengths",
    -258: "Vector is not of a numeric type",
    -259: "Cannot perform vector operation on vectors of different datatypes",
    -324: "Index with this name already defined for this table",
    -333: "No such index defined",
    -359: "User defined SQL function not found",
    -386: "Mixed row limiting clauses",
    -400: "Fatal error occurred",
    100: "No (more) data",
}


class IRISError(Exception):
    """One SQL error. Its text has the shape of the driver's messages."""

    def __init__(self, code, message="", location="Prepare"):
        self.sqlcode = code
        text = "<SQL ERROR>; Details: [SQLCODE: <%d>:<%s>]\r\n[Location: <%s>]" % (code, TEXT.get(code, "Error"), location)
        if message:
            text += "\r\n[%%msg: <%s>]" % message
        super().__init__(text)


def at_run(code, message=""):
    """An error found while executing, not while preparing."""
    return IRISError(code, message, "ServerLoop")
