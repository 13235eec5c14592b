"""pytest's side only: fixtures, marker, configuration options, report sections.

Loaded at every start of pytest, so nothing is imported here that a run without a fake does not need.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from botocore.client import BaseClient

    from pytest_pinpoint_otp.engine.faults.plans import FailurePlan
    from pytest_pinpoint_otp.engine.options import Options
    from pytest_pinpoint_otp.fake import PinpointOTP
    from pytest_pinpoint_otp.plugin.failures import Arrangement, Shaking  # noqa: F401 - a stash key names it

_MARKER: Final = "pinpoint_otp"
_PREFIX: Final = "pinpoint_otp_"
_AUTOUSE: Final = f"{_PREFIX}autouse"
_ACTIVATION: Final = "_pinpoint_otp_activation"

_INI_OPTIONS: Final[Mapping[str, tuple[Any, str]]] = {
    "seed": ("string", "Mixed into what codes and IDs are drawn from, beside the test's name."),
    "applications": ("args", "Application IDs that exist; calls for others get NotFoundException. Default: any."),
    "code_length": ("int", "Digits of a code where a request leaves CodeLength out. Default: 6."),
    "validity_period": ("int", "Minutes that a code is valid where a request leaves ValidityPeriod out. Default: 15."),
    "allowed_attempts": ("int", "Failed verifications where a request leaves AllowedAttempts out. Default: 3."),
    "enforce_limits": ("bool", "Answer BadRequestException outside AWS's documented limits. Default: true."),
    "retry_backoff": ("bool", "Let botocore really sleep before it retries a faked call. Default: false."),
    "assert_all_used": ("bool", "A finite injection or queued code left unused is an error. Default: true."),
}

_MARKER_HELP: Final = (
    "pinpoint_otp(seed, applications, code_length, validity_period, allowed_attempts, enforce_limits, retry_backoff,"
    " assert_all_used, enabled, plan, chaos): let boto3's send_otp_message and verify_otp_message reach an in-memory"
    " service during the test, with these options; the narrower marker wins, option by option. enabled=False leaves"
    " the test out of pinpoint_otp_autouse; plan is a FailurePlan, or the path of its file from the test's, to follow;"
    " chaos=False leaves the test out of --pinpoint-otp-chaos."
)
_BESIDE_OPTIONS: Final = ("enabled", "plan", "chaos")
"""What the marker takes that is no option of the fake."""

_fake: Final = pytest.StashKey["PinpointOTP"]()
_outcomes: Final = pytest.StashKey[list[str]]()
_checked: Final = pytest.StashKey[bool]()
_arrangement: Final = pytest.StashKey["Arrangement"]()
_configured: Final = pytest.StashKey[dict[str, Any]]()
_shaking: Final = pytest.StashKey["Shaking"]()
_quiet: Final = pytest.StashKey[bool]()


def pytest_addoption(parser: pytest.Parser) -> None:
    autouse = "Activate the fake for every test, and ask nobody for credentials over the network. Default: false."
    parser.addini(_AUTOUSE, autouse, type="bool", default=False)
    for name, (kind, text) in _INI_OPTIONS.items():
        # None, so that an option that is not set differs from 0 and false.
        parser.addini(f"{_PREFIX}{name}", text, type=kind, default=None)
    group = parser.getgroup("pinpoint-otp", "OTPs of Amazon Pinpoint")
    group.addoption(
        "--pinpoint-otp-chaos",
        type=float,
        metavar="RATE",
        help="Let calls fail at this rate, 0 to 1, in every test that has pinpoint_otp. A test that fails shows how to"
        " replay its failures.",
    )
    group.addoption(
        "--pinpoint-otp-chaos-seed",
        default="0",
        metavar="SEED",
        help="What the failures are drawn from, beside the test's name. Default: 0.",
    )
    group.addoption("--pinpoint-otp-replay", metavar="FILE", help="Let calls fail as this failure plan says.")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    # A conftest is where many a suite imports its application, whose clients are made then.
    _turn_off_look_ups_where_autouse(early_config)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER_HELP)
    config.stash[_configured] = _read_configuration(config)
    if config.option.pinpoint_otp_chaos is not None or config.option.pinpoint_otp_replay is not None:
        from pytest_pinpoint_otp.plugin.failures import read_shaking

        config.stash[_shaking] = read_shaking(config)
    # Again, for a plugin that a conftest has brought in.
    _turn_off_look_ups_where_autouse(config)


def _turn_off_look_ups_where_autouse(config: pytest.Config) -> None:
    if _getini(config, _AUTOUSE) and _quiet not in config.stash:
        import pytest_pinpoint_otp.transports.botocore.patches as reach

        config.stash[_quiet] = True
        config.add_cleanup(reach.turn_off_credential_look_ups())


def pytest_report_header(config: pytest.Config) -> str | None:
    shaking = config.stash.get(_shaking, None)
    return shaking.header() if shaking is not None else None


def _read_configuration(config: pytest.Config) -> dict[str, Any]:
    """Return the options that are set in pytest's configuration, checked."""
    given = {name: _getini(config, f"{_PREFIX}{name}") for name in _INI_OPTIONS}
    given = {name: value for name, value in given.items() if value is not None}
    for name, value in given.items():
        from pytest_pinpoint_otp.engine.options import read_options

        enforced = {"enforce_limits": given.get("enforce_limits", True)}
        try:
            read_options({**enforced, name: value}, f"pytest's configuration, {_PREFIX}{name}")
        except (TypeError, ValueError) as error:
            raise pytest.UsageError(str(error)) from None
    return given


def _getini(config: pytest.Config, name: str) -> Any:
    try:
        return config.getini(name)
    except (TypeError, ValueError, pytest.UsageError) as error:
        # pytest's own words show the value, but do not always say whose it is.
        raise pytest.UsageError(f"pytest's configuration, {name}: {error}") from None


def pytest_runtest_setup(item: pytest.Item) -> None:
    # A fixture that has nothing to do costs a test more than all else in this plugin, so those without use lose it.
    names = getattr(item, "fixturenames", ())
    if _ACTIVATION not in names or "pinpoint_otp" in names or item.config.getini(_AUTOUSE):
        return
    if item.get_closest_marker(_MARKER) is None:
        unused = {_ACTIVATION}
        if "request" not in item._fixtureinfo.initialnames:  # type: ignore[attr-defined]
            # Other fixtures that ask for it get it none the less; setting it up for the test is what costs.
            unused.add("request")
        # A list of its own: pytest shares one among the parameters of a test.
        item.fixturenames = [name for name in names if name not in unused]  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _pinpoint_otp_activation(request: pytest.FixtureRequest) -> None:
    """Activate the fake before the test's other fixtures, where the test names, marks or is configured to have it."""
    # A name among `fixturenames` would be set up in the order of that list: too late for other autouse fixtures.
    if "pinpoint_otp" in request.fixturenames or _is_enabled(request.node):
        request.getfixturevalue("pinpoint_otp")
        # Not what the fixture's value is: an override may yield nothing.
        fake = request.node.stash.get(_fake, None)
        if fake is not None and "hypothesis" in sys.modules:
            _isolate_examples(request, fake)


def _isolate_examples(request: pytest.FixtureRequest, fake: PinpointOTP) -> None:
    """Give each example of a Hypothesis test a fresh fake."""
    from pytest_pinpoint_otp.plugin.hypothesis_examples import isolate_examples, isolate_runs

    test = getattr(request.node, "obj", None)
    end = isolate_examples(test, fake)
    if end is not None:
        request.node.stash[_checked] = True
    else:
        end = isolate_runs(test, fake)
    if end is not None:
        request.addfinalizer(end)


@pytest.fixture
def pinpoint_otp(request: pytest.FixtureRequest) -> Iterator[PinpointOTP]:
    """An in-memory Amazon Pinpoint OTP service, in place of the real one for this test.

    Every boto3 and botocore client reaches it, without credentials or network. Read what arrived with ``code_for``
    and ``messages``, make calls fail with ``inject``, move its clock with ``advance``.
    """
    from pytest_pinpoint_otp.fake import PinpointOTP
    from pytest_pinpoint_otp.mock import enter, leave

    item = request.node
    item.stash[_outcomes] = []
    item.stash[_checked] = False
    fake = item.stash[_fake] = PinpointOTP(_options_of(item), _arrange(item))
    enter(fake)
    try:
        yield fake
    finally:
        leave(fake)
    # A test that failed, was skipped or xfailed has its verdict, and each of Hypothesis's examples has had one.
    outcomes = item.stash[_outcomes]
    if item.stash[_checked]:
        return
    if outcomes[-1:] == ["passed"] and "failed" not in outcomes and (unused := fake._check_end()):
        pytest.fail(unused, pytrace=False)


@pytest.fixture
def pinpoint_otp_client(pinpoint_otp: PinpointOTP) -> Iterator[BaseClient]:
    """A boto3 ``pinpoint`` client that reaches ``pinpoint_otp``, for tests that need one of their own.

    It reads no credentials and no AWS configuration, and is a little faster than an application's client.
    """
    from pytest_pinpoint_otp.transports.botocore.client import make_client

    client = make_client()
    yield client
    client.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    fake = item.stash.get(_fake, None)
    if fake is not None:
        if report.failed and (traffic := fake._traffic()):
            report.sections.append(("Pinpoint OTP traffic", traffic))
            if (arrangement := item.stash.get(_arrangement, None)) and (chaos := arrangement.section(fake, item)):
                report.sections.append(("Pinpoint OTP chaos", chaos))
        if report.when == "call":
            # One for each subtest, and the test's own last, which passes even where a subtest has failed.
            item.stash[_outcomes].append("xfailed" if hasattr(report, "wasxfail") else report.outcome)
        if report.when == "teardown":
            del item.stash[_fake]
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    for item in session.items:
        # Ctrl-C in the teardown of one fixture keeps pytest from tearing down those around it.
        if (fake := item.stash.get(_fake, None)) is not None:
            from pytest_pinpoint_otp.mock import leave

            leave(fake)


def _is_enabled(item: pytest.Item) -> bool:
    """Tell whether a test that does not name the fixture has the fake: by its markers or by configuration."""
    arguments = _marker_arguments(item)
    enabled: bool = arguments.get("enabled", item.config.getini(_AUTOUSE))
    if arguments and not enabled:
        # A mistake in what is not used for now is none the less told.
        _options_of(item)
    return enabled


def _options_of(item: pytest.Item) -> Options:
    """Return a test's options: configuration, below its markers, below a seed of its own."""
    from pytest_pinpoint_otp.engine.options import read_options

    configured = item.config.stash[_configured]
    seed = f"{configured.get('seed', '')}{_identity(item)}"
    marked = {name: value for name, value in _marker_arguments(item).items() if name not in _BESIDE_OPTIONS}
    try:
        return read_options({**configured, "seed": seed, **marked}, f"@pytest.mark.{_MARKER}", beside=_BESIDE_OPTIONS)
    except (TypeError, ValueError) as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _arrange(item: pytest.Item) -> Arrangement | None:
    """Return what the test's marker and the command line arrange for its fake; None where that is nothing."""
    arguments = _marker_arguments(item)
    shaking = item.config.stash.get(_shaking, None) if arguments.get("chaos", True) else None
    plan: FailurePlan | None = None
    if "plan" in arguments:
        from pytest_pinpoint_otp.plugin.failures import read_marked_plan

        try:
            plan = read_marked_plan(arguments["plan"], item)
        except (TypeError, ValueError, OSError) as error:
            raise pytest.fail.Exception(f"@pytest.mark.{_MARKER}: {error}", pytrace=False) from None
    if shaking is None and plan is None:
        return None
    from pytest_pinpoint_otp.plugin.failures import Arrangement

    arrangement = Arrangement(plan) if shaking is None else shaking.arrangement(_identity(item), plan)
    item.stash[_arrangement] = arrangement
    return arrangement


def _marker_arguments(item: pytest.Item) -> dict[str, Any]:
    """Return the arguments of a test's markers, of which the narrower wins; empty without a marker."""
    arguments: dict[str, Any] = {}
    for marker in _markers(item):
        if marker.args:
            pytest.fail(f"@pytest.mark.{_MARKER} takes keywords only, not {marker.args[0]!r}.", pytrace=False)
        arguments = {"enabled": True, **arguments, **marker.kwargs}
    for name in ("enabled", "chaos"):
        value = arguments.get(name, True)
        if not isinstance(value, bool):
            pytest.fail(f"@pytest.mark.{_MARKER}: {name} takes True or False, not {value!r}.", pytrace=False)
    return arguments


def _markers(item: pytest.Item) -> Iterator[pytest.Mark]:
    """Yield a test's markers, the widest first."""
    for node in item.listchain():
        # pytest has the closest first, but a base class's before those of the class itself.
        own = node.own_markers if isinstance(node, pytest.Class) else reversed(node.own_markers)
        yield from (marker for marker in own if marker.name == _MARKER)
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        # These stand behind the function's own.
        yield from (marker for marker in item.callspec.marks if marker.name == _MARKER)


def _identity(item: pytest.Item) -> str:
    """Return what a test is by itself: file name, class, name and parameters, wherever and by whomever it is run."""
    # Not the node ID: it holds folders, and pytest-xdist appends the group to it.
    names = [node.name for node in item.listchain() if isinstance(node, (pytest.Class, pytest.Item))]
    return "::".join([item.path.name, *names])
