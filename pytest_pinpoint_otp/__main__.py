"""The command ``pinpoint-otp``: the fake over HTTP for as long as it runs, or for as long as another command does."""

from __future__ import annotations

import argparse
import ipaddress
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Final, TypeVar

from pytest_pinpoint_otp.engine.argument_checks import counted
from pytest_pinpoint_otp.engine.faults.plans import FailurePlan
from pytest_pinpoint_otp.engine.options import read_options
from pytest_pinpoint_otp.engine.report import printable
from pytest_pinpoint_otp.fake import PinpointOTP, service_of

try:
    from pytest_pinpoint_otp.server import PinpointOTPServer, active_for_servers, serve_pinpoint_otp
except ModuleNotFoundError as error:
    sys.exit(f"pinpoint-otp: {error}")

if TYPE_CHECKING:
    from pytest_pinpoint_otp.engine.records import SentMessage

PORT: Final = 4599

_Item = TypeVar("_Item")

_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126
_KILLED: Final = 128
"""What a shell adds to the number of the signal that killed a command."""
_PATIENCE: Final = 0.2
_ENDING: Final = ("SIGINT", "SIGTERM", "SIGHUP")
_PASSED_ON: Final = (*_ENDING, "SIGQUIT", "SIGUSR1", "SIGUSR2")
_OF_TERMINALS: Final = ("SIGINT", "SIGQUIT")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    separator = given.index("--") if "--" in given else len(given)
    parser = _make_parser()
    # Not parse_args: unknown arguments may be a command that lacks the two dashes before it.
    options, unknown = parser.parse_known_args(given[:separator])
    command = given[separator + 1 :]
    if options.action == "run" and not command:
        parser.error("run: give the command after two dashes: pinpoint-otp run -- COMMAND...")
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.action == "serve" and separator < len(given):
        parser.error("serve takes no command; run does: pinpoint-otp run -- COMMAND...")
    try:
        fake = _make_fake(options)
        serving = serve_pinpoint_otp(options.host, options.port, hold=options.hold, allowed_hosts=options.allow_host)
    except (TypeError, ValueError, OSError) as error:
        # The arguments of serve_pinpoint_otp are options here.
        parser.error(str(error).replace("serve_pinpoint_otp: ", "--"))
    # What a text says may not be in the terminal's encoding.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a file that is text
    try:
        server = serving.start()
    except OSError as error:
        print(f"pinpoint-otp: {options.host}:{options.port}: {error.strerror or error}", file=sys.stderr)
        return 1
    try:
        with active_for_servers(fake):
            if options.open:
                _open(server.url)
            return _serve(server, fake, options.host) if options.action == "serve" else _run(server, command)
    finally:
        serving.stop()


def _make_parser() -> argparse.ArgumentParser:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--host", default="127.0.0.1", help="the address to bind to (default: 127.0.0.1)")
    shared.add_argument("--port", type=int, default=PORT, help=f"the port, 0 for any that is free (default: {PORT})")
    shared.add_argument("--seed", default="pinpoint-otp", help="what codes and IDs are drawn from")
    shared.add_argument("--plan", type=Path, metavar="FILE", help="a failure plan to follow")
    shared.add_argument(
        "--hold",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="silence before the reset where a call ends in a read timeout (default: 0)",
    )
    shared.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="HOST",
        help="a name with a dot by which clients may call this machine; may be given several times",
    )
    shared.add_argument("--open", action="store_true", help="open the inbox in a browser")
    parser = argparse.ArgumentParser(
        prog="pinpoint-otp",
        description="Answers the OTP calls of Amazon Pinpoint and AWS End User Messaging, and shows the texts.",
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="serve|run")
    actions.add_parser("serve", parents=[shared], help="serve until Ctrl-C, and print each text")
    actions.add_parser(
        "run",
        parents=[shared],
        usage="pinpoint-otp run [options] -- COMMAND...",
        help="serve while a command runs, which is given the environment that AWS SDKs need",
    )
    return parser


def _make_fake(options: argparse.Namespace) -> PinpointOTP:
    fake = PinpointOTP(read_options({"seed": options.seed}, "--seed"))
    if options.plan is not None:
        try:
            fake.follow(FailurePlan.from_file(options.plan))
        except OSError as error:
            raise ValueError(f"--plan: {options.plan}: {error.strerror}") from None
    return fake


def _open(url: str) -> None:
    import webbrowser

    webbrowser.open(url)


def _serve(server: PinpointOTPServer, fake: PinpointOTP, host: str) -> int:
    """Print each text until a signal comes."""
    arrivals: SimpleQueue[SentMessage | None] = SimpleQueue()
    service_of(fake).journal.listeners.append(arrivals.put)
    with _handled(_ENDING, lambda number: arrivals.put(None)), _reader_may_go():
        _print_greeting(server, host)
        for message in _until_none(arrivals):
            _say(_line(message))
        _say(f"{counted(len(fake.messages), 'text')}, {counted(len(fake.calls), 'call')}.")
    return 0


@contextmanager
def _reader_may_go() -> Iterator[None]:
    """End quietly if the reader of the output has gone."""
    try:
        yield
    except OSError:  # a BrokenPipeError, but on Windows EINVAL
        # At its end, Python would try again to write what is left, and fail with a status of its own.
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def _print_greeting(server: PinpointOTPServer, host: str) -> None:
    _say(f"Inbox: {server.url}")
    _say("AWS SDKs and CLI reach it with")
    for name, value in server.environ.items():
        if name.startswith(("AWS_ENDPOINT", "AWS_ACCESS", "AWS_SECRET", "AWS_REGION", "AWS_DEFAULT_REGION")):
            _say(f"  {name}={value}")
    if _lets_others_in(host):
        _say("Whoever reaches this address can read and arrange everything.")
    _say("Ctrl-C ends it.")


def _lets_others_in(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def _line(message: SentMessage) -> str:
    reference = "" if message.reference_id is None else f"  reference {message.reference_id}"
    line = f"{message.sent_at.astimezone():%H:%M:%S}  {message.destination}  {message.code}{reference}"
    # A reference comes from the application, and must not control the terminal.
    return printable(line)


def _say(line: str) -> None:
    print(line, flush=True)


def _run(server: PinpointOTPServer, command: Sequence[str]) -> int:
    """Run a command, and return its exit status."""
    signals: SimpleQueue[int | None] = SimpleQueue()
    # Before the command starts, so that it misses none.
    with _handled(_PASSED_ON, signals.put):
        try:
            child = subprocess.Popen(command, env={**os.environ, **server.environ})
        except OSError as error:
            print(f"pinpoint-otp: {command[0]}: {error.strerror}", file=sys.stderr)
            return _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_EXECUTABLE

        def tell_end() -> None:
            child.wait()
            signals.put(None)

        threading.Thread(target=tell_end).start()
        for number in _until_none(signals):
            _pass_on(child, number)
    status = child.wait()
    return _KILLED - status if status < 0 else status


def _until_none(queue: SimpleQueue[_Item | None]) -> Iterator[_Item]:
    """Yield what comes into a queue, until None does."""
    while True:
        try:
            # Not for ever: a signal that comes just before the wait would only be handled after it.
            item = queue.get(timeout=_PATIENCE)
        except Empty:
            continue
        if item is None:
            return
        yield item


def _pass_on(child: subprocess.Popen[bytes], number: int) -> None:
    if signal.Signals(number).name in _OF_TERMINALS and _is_in_foreground():
        # The terminal has sent it to the command too. A second one could make the command give up its clean end.
        return
    child.send_signal(number)


def _is_in_foreground() -> bool:
    if sys.platform == "win32":
        # Ctrl-C reaches every process of a console, and SIGINT cannot be sent to one alone.
        return True
    try:
        with open("/dev/tty", "rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


@contextmanager
def _handled(names: Sequence[str], handle: Callable[[int], object]) -> Iterator[None]:
    """Let signals call a function, and restore their handlers afterwards."""
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = [signal.signal(number, lambda number, frame: handle(number)) for number in numbers]
    try:
        yield
    finally:
        for number, former in zip(numbers, before, strict=True):
            signal.signal(number, former)


if __name__ == "__main__":
    sys.exit(main())
