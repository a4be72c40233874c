"""The errors of this room."""


class DatabaseError(Exception):
    """Any error of this room."""

    sqlstate: str | None = None
    """The database's code, if it gave one."""


class Unavailable(DatabaseError):
    """The database cannot be reached, is too slow, or refuses to write for now. Trying again later may help."""


class Unsuitable(Unavailable):
    """The server, or a pooler in between, cannot keep the promises of the service; the message says what to change.

    A command or a service does not start with it. A service that already runs tries again, as after a lost connection.
    """


class Failed(DatabaseError):
    """The database refused a statement: the fault of this program, or of a change to its tables."""


class RowRefused(Failed):
    """The database refused the content of a row: without that row the statement may succeed."""


class NoPartition(Unavailable):
    """No partition takes a row."""


class Interrupted(Unavailable):
    """Another transaction was in the way (a deadlock, a serialization failure): the statement may succeed at once."""


class NotFound(DatabaseError):
    """The row does not exist; the message names it, for a person."""


class Refused(DatabaseError):
    """The change would break a rule; the message names it, for a person."""


class Blocked(DatabaseError):
    """Other sessions held a lock for too long; the message names them, for a person."""


class UnknownPosition(DatabaseError):
    """No row has ever had the position: it is of another database, or made up."""
