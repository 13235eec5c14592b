"""The state of one in-memory OTP service: what its operations, faults and records are kept in. No rules."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy, deepcopy
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Self

from pytest_pinpoint_otp.apis import APIS
from pytest_pinpoint_otp.engine.clock import Clock
from pytest_pinpoint_otp.engine.codes import Codes
from pytest_pinpoint_otp.engine.faults.injections import Faults
from pytest_pinpoint_otp.engine.faults.recording import Recording
from pytest_pinpoint_otp.engine.journal import Journal
from pytest_pinpoint_otp.engine.lock import lock
from pytest_pinpoint_otp.engine.options import Options
from pytest_pinpoint_otp.engine.unused import Unused


class Snapshot(NamedTuple):
    """The state of a service at one moment."""

    state: State
    restore_faults: Callable[[], Faults]


class State:
    """What one service has. The engine's lock guards it.

    Args:
        options: how the service behaves.
    """

    def __init__(self, options: Options) -> None:
        self.options: Final = options
        self.terms: Final = options.terms
        self.clock = Clock()
        self.codes = Codes(str(options.seed))
        self.faults = Faults()
        self.journal = Journal()
        self.recording = Recording()
        self.kept: dict[str, Any] = {api.name: api.new_state(self.terms) for api in APIS}
        """What each API keeps, by its name."""
        self.mistakes: list[Exception] = []
        """Errors of the test that came up inside the application, which may have swallowed them."""
        self.left_before: Unused | None = None
        """What every earlier run of a state machine's test has left unused; None: there was no earlier run."""
        self.misplaced_options: Final = _find_misplaced_options(options)
        """Why an API does not accept an option, such as codes of four digits, by the API's name."""
        self._prefixes: Final = _id_prefixes(str(options.seed))
        self._drawn = 0

    def draw_ids(self) -> tuple[str, str]:
        """Return the next request ID, a UUID, and 40 characters of 0-9 and a-v to make other IDs from."""
        self._drawn += 1
        number = f"{self._drawn:012x}"
        request_ids, other_ids = self._prefixes
        return request_ids + number, other_ids + number

    def unused(self) -> Unused:
        """Return what a test has arranged and no call has used."""
        with lock:
            return Unused(self.faults.unused(), tuple(self.codes.queue))

    def left_by_every_run(self) -> Unused:
        """Return what neither a call of this run nor one of an earlier run of the same test has used."""
        return self.unused() if self.left_before is None else self.unused().also_in(self.left_before)

    def afresh(self) -> Self:
        """Return a new service with the same options. Waits for a message of this one go on with the new one."""
        other = type(self)(self.options)
        other.journal.listeners, other.left_before = self.journal.listeners, self.left_before
        return other

    def save(self) -> Snapshot:
        """Return the state that the service has now. `from_snapshot` goes back to it, any number of times."""
        with lock:
            return Snapshot(self._copy(), self.faults.save())

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> Self:
        """Return a service in the state that was saved, and put the handles of injections and quotas back to it."""
        with lock:
            other = snapshot.state._copy()
            other.faults = snapshot.restore_faults()
        assert isinstance(other, cls)  # saved by an object of this class
        return other

    def _copy(self) -> Self:
        other = copy(self)
        other.clock, other.codes, other.journal = copy(self.clock), self.codes.copy(), self.journal.copy()
        other.recording, other.kept, other.mistakes = self.recording.copy(), deepcopy(self.kept), [*self.mistakes]
        return other


def _find_misplaced_options(options: Options) -> dict[str, str]:
    misplaced = {}
    for name in ("code_length", "validity_period", "allowed_attempts"):
        value = getattr(options, name)
        if value is not None:
            for api in APIS:
                refusal = api.find_default_refusal(name, value, enforce=options.enforce_limits)
                if refusal is not None:
                    misplaced[api.name] = f"The option {name}={value} is not for {api.sending.name}: {refusal}"
    return misplaced


def _id_prefixes(seed: str) -> tuple[str, str]:
    """Return what the request IDs and the message IDs of a seed begin with.

    Request IDs are version 4 UUIDs; message IDs have 40 characters of 0-9 and a-v, as AWS's own have (seen).
    """
    digest = blake2b(seed.encode("utf-8", "surrogatepass"), digest_size=37, person=b"otp-ids").digest()
    request = digest[:9].hex()
    message = digest[9:].translate(_LETTERS).decode()
    return f"{request[:8]}-{request[8:12]}-4{request[12:15]}-a{request[15:]}-", message


_LETTERS: Final = b"0123456789abcdefghijklmnopqrstuv" * 8
"""One of the 32 characters for each byte."""
