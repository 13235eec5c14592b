"""What configuration, markers and a test's name say about its fake. pytest loads it at every start: keep it light."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.options import Options
    from pytest_pinpoint_otp.plugin.failures import RunFailures
    from pytest_pinpoint_otp.plugin.guard import GuardReport
    from pytest_pinpoint_otp.plugin.teardown import Teardown

FIXTURE: Final = "pinpoint_otp"
_PLUGIN: Final = "pytest_pinpoint_otp.plugin"
_SERVER_FIXTURE: Final = "pinpoint_otp_server"
MARKER: Final = "pinpoint_otp"
PREFIX: Final = "pinpoint_otp_"
BESIDE_OPTIONS: Final = ("enabled", "plan", "chaos")
"""What the marker takes besides the options of the fake."""
_WORKER_WIDTH: Final = "pinpoint_otp_terminal_width"

OPTIONS: Final[Mapping[str, tuple[Any, str]]] = {
    "seed": ("string", "Mixed into what codes and IDs are drawn from, besides the test's name."),
    "applications": ("args", "Application IDs that exist; a call for another gets NotFoundException. Default: any."),
    "originations": ("args", "Origination identities of the account; a send from another fails. Default: any."),
    "configurations": ("args", "Notify code configuration IDs that exist. Default: any."),
    "code_length": ("int", "Length of a code, if the request does not say. Default: the API's own."),
    "validity_period": ("int", "Minutes that a code is valid, if the request does not say. Default: the API's own."),
    "allowed_attempts": ("int", "Failures that lock a code, if the request does not say. Default: the API's own."),
    "enforce_limits": ("bool", "Refuse requests outside AWS's documented limits, as AWS does. Default: true."),
    "retry_backoff": ("bool", "Let botocore really sleep before it retries a faked call. Default: false."),
    "assert_all_used": ("bool", "An unused finite injection or queued code is an error. Default: true."),
}
"""The options of the fake: their types in pytest's configuration, and what its help says of them."""


class Run:
    """What the plugin knows of one run of pytest: the one object that it keeps in pytest's stash.

    Raises:
        pytest.UsageError: a value in pytest's configuration has the wrong type.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.autouse: Final[bool] = _getini(config, f"{PREFIX}autouse")
        guarded: bool | None = _getini(config, f"{PREFIX}guard")
        self.guarded: Final = self.autouse if guarded is None else guarded
        self.looks_after_botocore = False
        """Whether botocore is wrapped outside of tests with a fake as well."""
        self.options: dict[str, Any] = {}
        """The options that are set in pytest's configuration, by name."""
        self.failures: RunFailures | None = None
        self.guard: GuardReport | None = None
        self.teardowns: Final[dict[pytest.Item, Teardown]] = {}
        """What is due at the end of each test that is under way and has a fake."""


_run: Final = pytest.StashKey[Run]()


def run_of(config: pytest.Config) -> Run:
    """Return what the plugin knows of a run."""
    run = config.stash.get(_run, None)
    if run is None:
        run = config.stash[_run] = Run(config)
    return run


def add_options(parser: pytest.Parser) -> None:
    """Tell pytest about the options of its configuration and command line."""
    autouse = "Activate the fake for every test, and block credential look-ups over the network. Default: false."
    parser.addini(f"{PREFIX}autouse", autouse, type="bool", default=False)
    guard = (
        "Stop every OTP call that is made while no fake is active, and report it as an error. Default: the value of"
        f" {PREFIX}autouse."
    )
    # None, so that an option that is not set differs from 0 and false.
    parser.addini(f"{PREFIX}guard", guard, type="bool", default=None)
    for name, (kind, text) in OPTIONS.items():
        parser.addini(f"{PREFIX}{name}", text, type=kind, default=None)
    group = parser.getgroup("pinpoint-otp", "Amazon Pinpoint OTP")
    group.addoption(
        "--pinpoint-otp-chaos",
        type=float,
        metavar="RATE",
        help="Make calls fail at this rate, 0 to 1, in every test that has pinpoint_otp. A test that fails shows how to"
        " replay its failures.",
    )
    group.addoption(
        "--pinpoint-otp-chaos-seed",
        metavar="SEED",
        help="What the failures are drawn from, besides the test's name. Default: 0.",
    )
    group.addoption(
        "--pinpoint-otp-chaos-kinds",
        metavar="KIND,...",
        help="The kinds of failures that are drawn: transient (of one attempt, so that a retry hides it), delivery,"
        " errors, network, lost. Default: all.",
    )
    group.addoption("--pinpoint-otp-replay", metavar="FILE", help="Make calls fail as this failure plan says.")


def names_failures(config: pytest.Config) -> bool:
    """Tell whether the command line has an option about failures."""
    names = ("chaos", "chaos_seed", "chaos_kinds", "replay")
    # Older versions of pytest have no values for the options of a plugin that comes late.
    return any(getattr(config.option, f"{PREFIX}{name}", None) is not None for name in names)


def marker_line() -> str:
    """Return what pytest lists about the marker."""
    return (
        f"{MARKER}({', '.join((*OPTIONS, *BESIDE_OPTIONS))}): answer the test's OTP calls (such as boto3's"
        " send_otp_message and verify_otp_message) in memory, with these options; the narrower marker wins, option by"
        " option. enabled=False leaves the test out of pinpoint_otp_autouse and of pinpoint_otp_guard; plan is a"
        " FailurePlan to follow, or the path of its file, relative to the test's; chaos=False leaves the test out of"
        " --pinpoint-otp-chaos."
    )


def read_configuration(config: pytest.Config) -> dict[str, Any]:
    """Return the options of the fake that are set in pytest's configuration.

    Raises:
        pytest.UsageError: an option is unknown, or a value has the wrong type or is out of range.
    """
    _refuse_unknown(config)
    given = {name: _getini(config, f"{PREFIX}{name}") for name in OPTIONS}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        from pytest_pinpoint_otp.engine.options import read_options

        enforced = {"enforce_limits": given.get("enforce_limits", True)}
        try:
            read_options({**enforced, name: value}, f"pytest's configuration, {PREFIX}{name}")
        except (TypeError, ValueError) as error:
            raise pytest.UsageError(str(error)) from None
    return given


def _refuse_unknown(config: pytest.Config) -> None:
    """Refuse an unknown option that begins with our prefix: pytest only warns, and the fake would be off."""
    # pytest has no public name for it since 9.2.
    settings = vars(config).get("_inicfg", vars(config).get("inicfg", ()))
    known = [f"{PREFIX}{option}" for option in ("autouse", "guard", *OPTIONS)]
    for name in settings:
        if name.startswith(PREFIX) and name not in known:
            try:
                # Another plugin may have it.
                config.getini(name)
            except ValueError:
                from pytest_pinpoint_otp.engine.argument_checks import did_you_mean

                hint = did_you_mean(name, known)
                raise pytest.UsageError(f"pytest's configuration: there is no option {name!r}.{hint}") from None


def _getini(config: pytest.Config, name: str) -> Any:
    try:
        return config.getini(name)
    except (TypeError, ValueError, pytest.UsageError) as error:
        # pytest's own error shows the value, but does not always name the option and what it takes.
        kind, _ = OPTIONS.get(name.removeprefix(PREFIX), ("bool", ""))
        advice = {"bool": ". Give true or false.", "int": ". Give a whole number."}.get(kind, "")
        raise pytest.UsageError(f"pytest's configuration, {name}: {error}{advice}") from None


def wants_fake(item: pytest.Item) -> bool:
    """Tell whether a test has a fake: because it names the fixture, is marked, or by configuration."""
    return _takes(item, FIXTURE) or _takes(item, _SERVER_FIXTURE) or _is_enabled(item)


def fixture_names(item: pytest.Item) -> Sequence[str]:
    """Return the names of the fixtures that an item takes; other packages' items may have none, or None."""
    return getattr(item, "fixturenames", None) or ()


def fixture_definitions(item: Any, name: str) -> Sequence[pytest.FixtureDef[Any]]:
    """Return the definitions of a fixture that an item takes, the narrowest last; none for a name that has none."""
    info = getattr(item, "_fixtureinfo", None)
    definitions = info and info.name2fixturedefs.get(name)
    if definitions is None:
        # A plugin may have added the name, as this one does.
        definitions = item.session._fixturemanager.getfixturedefs(name, item)
    return definitions or ()


def _takes(item: pytest.Item, name: str) -> bool:
    """Tell whether a test takes one of the plugin's fixtures, and not another that has the same name."""
    if name not in fixture_names(item):
        return False
    # A fixture that takes the one of its own name extends that.
    definitions = reversed(fixture_definitions(item, name))
    last = next((one for one in definitions if one.func.__module__ == _PLUGIN or name not in one.argnames), None)
    return last is None or last.func.__module__ == _PLUGIN


def is_left_out(item: pytest.Item) -> bool:
    """Tell whether a marker says that a test has no fake, so that its calls are let through."""
    return bool(item.get_closest_marker(MARKER)) and not _is_enabled(item)


def _is_enabled(item: pytest.Item) -> bool:
    arguments = marker_arguments(item)
    if not arguments:
        return run_of(item.config).autouse
    enabled: bool = arguments["enabled"]
    if not enabled:
        # A mistake in the options is reported even if they are not used.
        options_of(item, arguments)
    return enabled


def options_of(item: pytest.Item, arguments: Mapping[str, Any]) -> Options:
    """Return the options of a test's fake: its markers', above the configured ones, above a seed of its own."""
    from pytest_pinpoint_otp.engine.options import read_options

    configured = run_of(item.config).options
    seed = f"{configured.get('seed', '')}{identity_of(item)}"
    marked = {name: value for name, value in arguments.items() if name not in BESIDE_OPTIONS}
    try:
        return read_options({**configured, "seed": seed, **marked}, f"@pytest.mark.{MARKER}", beside=BESIDE_OPTIONS)
    except (TypeError, ValueError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def marker_arguments(item: pytest.Item) -> dict[str, Any]:
    """Return the merged arguments of a test's markers; the narrower marker wins. Empty without a marker."""
    arguments: dict[str, Any] = {}
    if item.get_closest_marker(MARKER) is None:
        return arguments
    for marker in _markers(item):
        if marker.args:
            pytest.fail(f"@pytest.mark.{MARKER} takes keywords only, not {marker.args[0]!r}.", pytrace=False)
        # Every marker turns on what a wider one has turned off, unless it says enabled=False itself.
        arguments = {**arguments, "enabled": True, **marker.kwargs}
    for name in ("enabled", "chaos"):
        value = arguments.get(name, True)
        if not isinstance(value, bool):
            pytest.fail(f"@pytest.mark.{MARKER}: {name} takes True or False, not {value!r}.", pytrace=False)
    return arguments


def _markers(item: pytest.Item) -> Iterator[pytest.Mark]:
    """Yield a test's markers, the widest first."""
    for node in item.listchain():
        # pytest has the markers of one object with the nearest first.
        own = list(reversed([marker for marker in node.own_markers if marker.name == MARKER]))
        if isinstance(node, pytest.Class):
            depths = _depths(node.obj)
            own.sort(key=lambda marker: depths.get(id(marker), -1))
        yield from own
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        # The markers of its parameters come after the function's own.
        yield from (marker for marker in item.callspec.marks if marker.name == MARKER)


def _depths(cls: type) -> dict[int, int]:
    """Return at which depth of its base classes each marker of a class was put on, by the marker's id."""
    depths: dict[int, int] = {}
    for depth, owner in enumerate(reversed(cls.__mro__)):
        marks = vars(owner).get("pytestmark", ())
        for mark in marks if isinstance(marks, (list, tuple)) else (marks,):
            depths[id(getattr(mark, "mark", mark))] = depth
    return depths


def identity_of(item: pytest.Item) -> str:
    """Return what identifies a test on any machine and in any run: file name, classes, name and parameters."""
    # Not the node ID: it holds folders, and pytest-xdist appends the group to it.
    names = [node.name for node in item.listchain() if isinstance(node, (pytest.Class, pytest.Item))]
    return "::".join([item.path.name, *names])


def terminal_width(config: pytest.Config) -> int:
    """Return how wide the terminal is on which a run reports."""
    workerinput: dict[str, Any] = getattr(config, "workerinput", {})
    width: int = workerinput.get(_WORKER_WIDTH) or shutil.get_terminal_size().columns
    # As pytest does: a smaller width is not that of a real terminal.
    return width if width >= 40 else 80


def tell_worker(workerinput: dict[str, Any]) -> None:
    """Tell a worker of pytest-xdist, which has no terminal, how wide the terminal is."""
    workerinput[_WORKER_WIDTH] = shutil.get_terminal_size().columns
