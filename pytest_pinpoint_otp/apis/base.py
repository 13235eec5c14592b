"""What every API that is faked has: operations that read requests and write answers. No state, no other module's names.

A new API subclasses `Api` and the operations below, and is put into the registry (the package's ``__init__``).
A new operation goes into the module or folder of its API, and its name into `names`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, ClassVar, Final, NamedTuple, TypeVar, cast

from pytest_pinpoint_otp.apis.frozen_json import FrozenDict
from pytest_pinpoint_otp.apis.rest_json import Response, write_error

_Function = TypeVar("_Function", bound=Callable[..., Any])
_memories: Final[list[Any]] = []


def remembered(function: _Function) -> _Function:
    """Decorate a pure function of a request, so that it remembers its results for the last hundred or so.

    A retry repeats the attempt before it, and most tests of a suite make the same calls.
    """
    memory = lru_cache(128)(function)
    _memories.append(memory)
    return cast("_Function", memory)


def forget() -> None:
    """Forget all remembered results."""
    for memory in _memories:
        memory.cache_clear()


class Key(NamedTuple):
    """What a code is for. Each key has one live code: a later send for the same key replaces it (our assumption)."""

    application_id: str | None
    """None if the API has no applications."""
    destination: str
    reference_id: str | None
    """None if the request leaves it out, which not every API allows."""


class Request(NamedTuple):
    """An HTTP request, as an operation reads it."""

    method: str
    url: str
    in_path: Mapping[str, str]
    """The parameters in the path, decoded, by the API's names."""
    body: bytes | str | None


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a request says. The same request gives the same object, as long as it is remembered."""

    application_id: str | None
    destination: str | None
    """None if the request does not say, as with ``reference_id``."""
    reference_id: str | None
    parameters: FrozenDict
    """By AWS's names; empty if they could not be read."""
    refusal: Refusal | None = None
    """Why the request could not be read."""
    region: str | None = None
    """The AWS region, if the operation needs it; None: it does not."""


class Refusal(Exception):  # noqa: N818 - an answer of the API, raised only if it comes up late
    """What an API answers to a request that it refuses.

    Args:
        name: the error's name, such as ``BadRequestException``.
        message: the error's message.
        members: what the error has besides its message, by AWS's names.
        wrong_type: whether a parameter has the wrong type. AWS makes no difference, but `issue` raises a TypeError.
    """

    def __init__(
        self, name: str, message: str, members: Mapping[str, Any] | None = None, *, wrong_type: bool = False
    ) -> None:
        super().__init__(message)
        self.name: Final = name
        self.message: Final = message
        self.members: Final = members or {}
        self.wrong_type: Final = wrong_type


class Terms(NamedTuple):
    """The options that an API's rules depend on."""

    applications: frozenset[str] | None
    configurations: frozenset[str] | None
    code_length: int | None
    validity_period: int | None
    allowed_attempts: int | None
    enforce_limits: bool


class Policy(NamedTuple):
    """How a code is made, and how long and for how many attempts it is valid."""

    code_type: str
    """NUMERIC, ALPHA or ALPHANUMERIC."""
    code_length: int
    validity_period: int
    """Minutes."""
    allowed_attempts: int


policy_of: Final = lru_cache(Policy)
"""Return a policy by its four members. Kept, because every send needs one and applications have few."""


class CodeRequest(NamedTuple):
    """What a send asks for: a code for a key, and a text around it. A field that the API does not have is None."""

    key: Key
    policy: Policy
    origination: str
    channel: str
    text: tuple[str, ...]
    """The parts of the text that the user reads. The code stands between them."""
    brand_name: str | None = None
    language: str | None = None
    entity_id: str | None = None
    template_id: str | None = None
    configuration: str | None = None
    code_type: str | None = None
    """The policy's, if the API lets a request choose it."""
    context: Mapping[str, str] | None = None


class Guess(NamedTuple):
    """What a verification asks: whether this code is good for this key."""

    key: Key
    code: str


class DeliveryReport(NamedTuple):
    """What an answer may say about a delivery; the API decides what it says."""

    status: str
    delivered: bool
    """Whether the text reaches the handset."""
    status_code: int
    status_message: str | None
    """None: what AWS says of a text that is delivered."""
    message_id: str | None
    """None: the one that is drawn; empty: the answer leaves it out."""
    updated_token: str | None
    """None: the answer leaves it out, as for the next."""
    endpoint_id: str | None


class Denial(NamedTuple):
    """How the service refuses a send."""

    name: str
    """A delivery status or an error's name."""
    message: str | None = None
    """None: what that status says by default."""


class Operation:
    """One operation of an API. Not of ABC's metaclass, whose isinstance is slow; type checkers know what is abstract.

    Args:
        api: the API that it belongs to.
        name: its name in botocore's model.
    """

    sends: ClassVar[bool] = False
    """Whether it sends a code, and so has deliveries."""
    verifies: ClassVar[bool] = False
    """Whether it judges a code, and so has verdicts."""

    def __init__(self, api: Api, name: str) -> None:
        self.api: Final = api
        self.name: Final = name

    @abstractmethod
    def read(self, request: Request) -> Reading:
        """Read a request, refused or not."""

    @abstractmethod
    def accept(self, reading: Reading, terms: Terms, state: Any) -> CodeRequest | Guess | Refusal | None:
        """Check a request, and return what it asks for, or why the API refuses it. Changes nothing.

        None: the operation neither sends nor verifies, and the reading says all that it asks for.

        Args:
            reading: what the request says.
            terms: the options that the rules depend on.
            state: what `Api.new_state` made.
        """

    def find_error_members(self, name: str, reading: Reading) -> Mapping[str, Any]:
        """Return what an error has besides its message, if that was not given with it."""
        return {}

    def write_keywords(self, application_id: str | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the keyword arguments that the application gave to boto3."""
        return dict(parameters)


class SendOperation(Operation):
    """An operation that sends a code."""

    sends = True
    tells_delivery: ClassVar[bool] = True
    """Whether its answer tells how the delivery ended."""
    throttled: ClassVar[Denial]
    """What a send over a quota ends in by default."""
    opted_out: ClassVar[Denial]
    """What a send to an opted-out number ends in by default."""
    unknown_origination: ClassVar[Denial]
    """What a send ends in whose origination the account does not have."""
    origination_member: ClassVar[str]
    """The parameter that names the sender."""
    message_prefix: ClassVar[str] = ""
    """What its message IDs begin with, before 40 characters of 0-9 and a-v that no other send has."""
    verification_prefix: ClassVar[str | None] = None
    """What its verification IDs begin with, before the same; None: it has none."""
    issue_names: ClassVar[Mapping[str, str]]
    """What `issue` takes besides destination, application, reference and code: Python's name, then AWS's."""

    @abstractmethod
    def read_issue(
        self, application_id: str | None, destination: object, reference_id: object, given: Mapping[str, Any]
    ) -> Reading:
        """Return the reading of a send that issues a code as a test asks, with defaults for what the test leaves out.

        Args:
            application_id: the application, if the API has them.
            destination: the number that the code is for.
            reference_id: the reference.
            given: values by the names of ``issue_names``.
        """

    @abstractmethod
    def accept(self, reading: Reading, terms: Terms, state: Any) -> CodeRequest | Refusal: ...

    @abstractmethod
    def write_delivery(
        self, reading: Reading, report: DeliveryReport, message_id: str, drawn: str, request_id: str
    ) -> Response:
        """Write the answer to a send.

        Args:
            reading: what the request says.
            report: what the answer may say about the delivery.
            message_id: the text's ID.
            drawn: 40 characters of 0-9 and a-v that no other call has, to make other IDs from.
            request_id: the answer's request ID.
        """


class VerifyOperation(Operation):
    """An operation that judges a code."""

    verifies = True

    @abstractmethod
    def accept(self, reading: Reading, terms: Terms, state: Any) -> Guess | Refusal: ...

    @abstractmethod
    def write_verdict(self, valid: bool, request_id: str) -> Response:
        """Write the answer to a verification."""


class StoreOperation(Operation):
    """An operation that reads or changes what the API keeps; it has neither deliveries nor verdicts."""

    @abstractmethod
    def accept(self, reading: Reading, terms: Terms, state: Any) -> Refusal | None: ...

    @abstractmethod
    def carry_out(self, reading: Reading, state: Any, drawn: str, now: datetime, request_id: str) -> Response:
        """Do what an accepted request asks for, and write the answer.

        Args:
            reading: what the request says.
            state: what `Api.new_state` made; it is changed.
            drawn: 40 characters of 0-9 and a-v that no other call has, to make IDs from.
            now: the service's time.
            request_id: the answer's request ID.

        Raises:
            Refusal: it can no longer be done.
        """


class Route(NamedTuple):
    """Which operation an HTTP request is for."""

    operation: Operation
    in_path: Mapping[str, str]


class Api:
    """One API, as AWS documents it."""

    name: ClassVar[str]
    """botocore's name of the client, in records too."""
    endpoint_prefix: ClassVar[str]
    """What the host names of its endpoints begin with (source: botocore model)."""
    errors: ClassVar[Mapping[str, int]]
    """The errors that every operation takes, with their HTTP status."""
    usual_errors: ClassVar[tuple[str, ...]]
    """Those that occur now and then in production."""
    has_applications: ClassVar[bool] = False
    """Whether its requests name an application."""
    in_moto: ClassVar[frozenset[str]] = frozenset()
    """The operations that are not faked but that moto answers."""
    has_configurations: ClassVar[bool] = False
    """Whether it keeps code configurations, and has `add_configuration`."""
    operations: Mapping[str, Operation]
    """The operations that are faked, by name."""

    @abstractmethod
    def route(self, method: str, path: str) -> Route | None:
        """Return the operation of a request by its path, of any host and with any prefix; None: none is faked."""

    @abstractmethod
    def find_default_refusal(self, name: str, value: int, *, enforce: bool) -> str | None:
        """Return why a number cannot be the default for requests that leave it out; None: it can.

        Args:
            name: ``code_length``, ``validity_period`` or ``allowed_attempts``.
            value: the number.
            enforce: whether the documented limits are checked, or only what can be simulated.
        """

    def new_state(self, terms: Terms) -> Any:
        """Return what the API keeps for one fake, which ``copy.deepcopy`` copies; None: nothing."""
        return None

    def add_configuration(self, state: Any, configuration_id: str, **policy: Any) -> None:
        """Put a code configuration into the state, as the console would.

        Raises:
            TypeError: a value has the wrong type.
            ValueError: a value out of range.
        """
        raise NotImplementedError(f"{self.name} has no code configurations.")

    def write_error(
        self, name: str, status_code: int, message: str, request_id: str, members: Mapping[str, Any] | None = None
    ) -> Response:
        """Write an error answer, with the members that the API's errors have."""
        return write_error(name, status_code, {"message": message, **(members or {})}, request_id)

    @property
    def sending(self) -> SendOperation:
        """The operation that sends a code."""
        return next(one for one in self.operations.values() if isinstance(one, SendOperation))

    @property
    def verifying(self) -> VerifyOperation:
        """The operation that judges a code."""
        return next(one for one in self.operations.values() if isinstance(one, VerifyOperation))
