"""The results of one request for a code, and of one code that was typed: what the properties judge."""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

from pytest_pinpoint_otp.engine.records import Call, SentMessage, Verification


class Requested(NamedTuple):
    """The result of a user's request for a code."""

    phone: str
    told: object
    """What the application returned. True means that a text is on its way."""
    texts: list[SentMessage]
    """The texts that reached the phone meanwhile."""
    sends: list[Call]
    """The application's sends to the phone meanwhile."""

    def __str__(self) -> str:
        return f"request_code({self.phone!r}) returned {self.told!r}"


class Typed(NamedTuple):
    """The result of a code that a user typed."""

    phone: str
    code: str
    let_in: object
    """What the application returned. None means that it could not tell."""
    newest: SentMessage | None
    """The newest text that the phone had by then."""
    was_live: bool
    """Whether the code was that of the newest text, and would have been accepted."""
    was_told: bool
    """Whether the last request for a code for the phone was told that a text is on its way."""
    was_guessed: bool
    """Whether a code other than the live one was typed for the phone earlier in this run."""
    calls: list[Call]
    """The verifications that the application made for this phone then."""
    judged: list[Verification]
    """Those of them that the service judged."""

    @property
    def accepted(self) -> list[Verification]:
        """The verifications in which the service accepted the code, in whatever form the user typed it."""
        return [one for one in self.judged if one.valid and same_code(one.otp, self.code)]

    def __str__(self) -> str:
        return f"check_code({self.phone!r}, {self.code!r}) returned {self.let_in!r}"


def same_code(one: str, other: str) -> bool:
    """Tell whether two codes are the same but for how they are written: blanks, full-width digits, small letters."""
    return plain_code(one) == plain_code(other)


def plain_code(code: str) -> str:
    """Return a code as an application may read it."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", code))).casefold()
