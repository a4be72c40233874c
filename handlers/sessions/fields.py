"""What was typed into the fields of a form, and what is wrong with it: the page shows both again."""

import re
from collections.abc import Collection, Mapping
from typing import TypeVar

from handlers.sessions.forms import Form

LONGEST_NAME, LONGEST_TEXT = 200, 2000
"""Characters."""
T = TypeVar("T", bound=str)


class Fields:
    """The fields of one form: their values, and their faults by name, each a sentence."""

    def __init__(self, form: Form | None = None, **values: str) -> None:
        """`values` stand in the fields before a `form` was sent."""
        self._form = form
        self._values: Mapping[str, str] = values
        self.faults: dict[str, str] = {}

    def value(self, name: str) -> str:
        """What stands in a field."""
        return self._form.text(name) if self._form else self._values.get(name, "")

    def refuse(self, name: str, fault: str) -> None:
        """Note a fault of a field; the first one counts."""
        self.faults.setdefault(name, fault)

    def name(self, field: str, what: str) -> str:
        """A new name: what a list can show and a command can take."""
        text = self.value(field)
        if not text:
            self.refuse(field, f"Enter {what}.")
        elif len(text) > LONGEST_NAME:
            self.refuse(field, f"It has {len(text)} characters. The limit is {LONGEST_NAME}.")
        elif not text.isprintable():
            self.refuse(field, "It has a character that cannot be printed. Leave it out.")
        return text

    def text(self, field: str, what: str = "") -> str:
        """A text of one or more lines; `what` it is, if it is required."""
        text = self.value(field)
        if what and not text:
            self.refuse(field, f"Enter {what}.")
        elif len(text) > LONGEST_TEXT:
            self.refuse(field, f"It has {len(text)} characters. The limit is {LONGEST_TEXT}.")
        elif "\0" in text:
            self.refuse(field, "It has a NUL character. Leave it out.")
        return text

    def choice(self, field: str, choices: Collection[T]) -> T:
        """One of `choices`."""
        text = self.value(field)
        for choice in choices:
            if choice == text:
                return choice
        self.refuse(field, f"Choose one of these: {', '.join(choices)}.")
        return next(iter(choices))

    def number(self, field: str, lowest: int, highest: int) -> int | None:
        """A whole number; None if the field is empty."""
        text = self.value(field)
        if not text:
            return None
        if re.fullmatch("[0-9]{1,15}", text, re.ASCII) and lowest <= int(text) <= highest:
            return int(text)
        self.refuse(field, f"Enter a whole number from {lowest:,} to {highest:,}.")
        return None
