"""A secret that cannot slip into text."""

from __future__ import annotations

from typing import NoReturn, final


@final
class Token:
    """An API key or application token. `str`, `repr` and formatting give `***`; pickling and copying are refused.

    Raises ValueError (without the value) when empty or holding anything but visible ASCII: such a value could not
    travel in a header, and the HTTP library would quote it in its complaint.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        value = value.strip()
        if not value or not all("!" <= character <= "~" for character in value):
            raise ValueError("a token is one word of visible ASCII characters") from None
        self._value = value

    def reveal(self) -> str:
        """The secret itself; for the one place that writes it on the wire."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a token is never copied or stored")
