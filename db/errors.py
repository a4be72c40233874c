"""The errors of this room."""


class DatabaseError(Exception):
    """Any error of this room."""


class Unavailable(DatabaseError):
    """The database cannot be reached, is too slow, or refuses to write for now. Trying again later may help."""


class Failed(DatabaseError):
    """The database refused a statement: the fault of this program, or of a change to its tables."""


class NotFound(DatabaseError):
    """The row does not exist; the message names it, for a person."""


class Refused(DatabaseError):
    """The change would break a rule; the message names it, for a person."""
