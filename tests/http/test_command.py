"""The command pinpoint-otp: serve until a signal comes, or run another command beside the server."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from helpers import APPLICATION, DESTINATION, send_request
from talking import PATIENCE

import pytest_pinpoint_otp.__main__ as command
from pytest_pinpoint_otp import serve_pinpoint_otp

TESTS = Path(__file__).parents[1]
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other signals, and other words for errors")
PROGRAM = (sys.executable, "-W", "error", "-m", "pytest_pinpoint_otp")
BUFFERED = {"PYTHONUNBUFFERED": ""}
"""Whatever the environment of the tests says: what is printed waits to be flushed, as it does for most users."""


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        env={**os.environ, **BUFFERED, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@contextmanager
def serving(*arguments: str, **environ: str) -> Iterator[tuple[subprocess.Popen[str], str, list[str]]]:
    """Yield a command that serves, its URL, and what it has printed so far."""
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--port", "0", *arguments],
        env={**os.environ, **BUFFERED, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Who waits for a line that does not come is not to wait for ever.
    watch = threading.Timer(60, process.kill)
    watch.daemon = True
    watch.start()
    with process:
        assert process.stdout
        greeting: list[str] = []
        while not greeting or greeting[-1] != "Ctrl-C ends it.\n":
            greeting.append(process.stdout.readline())
            assert greeting[-1], process.stderr and process.stderr.read()
        try:
            yield process, greeting[0].split()[-1], greeting
        finally:
            watch.cancel()
            process.terminate()


def send(url: str, patience: float = PATIENCE, **parameters: Any) -> Any:
    """Send as an SDK does, and return the answer."""
    document = send_request(**parameters)["SendOTPMessageRequestParameters"]
    request = Request(f"{url}/v1/apps/{APPLICATION}/otp", json.dumps(document).encode())
    with urlopen(request, timeout=patience) as answer:
        return json.load(answer)


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_serve_prints_each_text_and_ends_with_a_summary(name: str) -> None:
    with serving() as (process, url, greeting):
        assert greeting[:2] == [f"Inbox: {url}\n", "AWS SDKs and CLI reach it with\n"]
        assert f"  AWS_ENDPOINT_URL_PINPOINT={url}\n" in greeting
        send(url)
        assert process.stdout
        line = process.stdout.readline()
        assert re.fullmatch(r"\d\d:\d\d:\d\d  \+15550100123  \d{6}  reference sign-up\n", line)
        process.send_signal(getattr(signal, name))
        assert process.communicate(timeout=PATIENCE) == ("1 text, 1 call.\n", "")
        assert process.returncode == 0


def test_serve_fits_into_a_terminal_of_eighty_columns() -> None:
    with serving() as (_, _, greeting):
        assert max(map(len, greeting)) <= 80


def test_a_reference_does_not_steer_the_terminal() -> None:
    with serving() as (process, url, _):
        send(url, ReferenceId="a\x1b[2J\u202eb")
        assert process.stdout
        assert process.stdout.readline().endswith("reference a\\x1b[2J\\u202eb\n")


def test_a_reference_need_not_be_in_the_terminals_encoding() -> None:
    with serving(PYTHONIOENCODING="ascii", PYTHONUTF8="0") as (process, url, _):
        send(url, ReferenceId="für")
        assert process.stdout
        assert process.stdout.readline().endswith("reference f\\xfcr\n")


def test_a_host_that_is_allowed_may_name_the_server() -> None:
    with serving("--allow-host", "otp.example.com", "--allow-host", "sms.example.com") as (_, url, _):
        for host in ("otp.example.com", "sms.example.com"):
            with urlopen(Request(url, headers={"Host": host})) as answer:
                assert answer.status == 200


def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    with serving() as (process, url, _):
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        # It may have ended before it answers.
        with suppress(OSError):
            send(url)
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""


def test_the_same_seed_gives_the_same_codes() -> None:
    codes = set()
    for _ in range(2):
        with serving("--seed", "7") as (process, url, _):
            send(url)
            assert process.stdout
            codes.add(process.stdout.readline().split()[2])
    assert len(codes) == 1


def test_a_plan_is_followed(tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"version": 1, "steps": [{"outcome": "OPT_OUT"}]}')
    with serving("--plan", str(plan)) as (_, url, _):
        assert send(url)["Result"][DESTINATION]["DeliveryStatus"] == "OPT_OUT"
        assert send(url)["Result"][DESTINATION]["DeliveryStatus"] == "SUCCESSFUL"


@pytest.mark.parametrize(
    ("hold", "patience", "error"), [([], 0.9, ConnectionResetError), (["--hold", "20"], 0.1, TimeoutError)]
)
def test_a_read_timeout_is_silence_only_where_it_is_told_to_hold(
    tmp_path: Path, hold: list[str], patience: float, error: type[Exception]
) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"version": 1, "steps": [{"outcome": {"exception": "ReadTimeoutError"}}]}')
    with serving("--plan", str(plan), *hold) as (_, url, _), pytest.raises(error):
        send(url, patience)


def test_the_port_is_4599_unless_another_is_given() -> None:
    assert "(default: 4599)" in run("serve", "--help").stdout


@pytest.mark.parametrize("host", ["0.0.0.0", pytest.param("0", marks=posix)])
def test_whoever_opens_it_to_others_is_warned(host: str) -> None:
    with serving("--host", host) as (_, url, greeting):
        assert url.startswith("http://127.0.0.1:")
        assert "Whoever reaches this address can read and arrange everything.\n" in greeting


def test_a_name_of_this_machine_lets_nobody_in() -> None:
    with serving("--host", "localhost") as (_, _, greeting):
        assert not [line for line in greeting if line.startswith("Whoever")]


def test_the_variables_that_are_shown_are_all_that_boto3_needs() -> None:
    with serving() as (_, url, greeting):
        shown = dict(line.strip().split("=", 1) for line in greeting if line.startswith("  AWS_"))
        others = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        send = "import boto3, json, sys; boto3.client('pinpoint').send_otp_message(**json.loads(sys.argv[1]))"
        command = [sys.executable, "-c", send, json.dumps(send_request())]
        subprocess.run(command, env={**others, **shown}, check=True, timeout=PATIENCE)
        with urlopen(f"{url}/_otp/messages") as answer:
            assert len(json.load(answer)["messages"]) == 1


def test_run_gives_the_command_the_environment_and_its_exit_status() -> None:
    code = "import boto3, helpers; print(helpers.send_status(boto3.client('pinpoint'))); raise SystemExit(7)"
    result = run("run", "--port", "0", "--", sys.executable, "-c", code, PYTHONPATH=str(TESTS))
    assert (result.returncode, result.stdout, result.stderr) == (7, "SUCCESSFUL\n", "")


def test_run_passes_on_whatever_stands_behind_the_dashes() -> None:
    code = "import sys; print(sys.argv[1:])"
    result = run("run", "--port", "0", "--", sys.executable, "-c", code, "--port", "x", "--", "-h")
    assert result.stdout == "['--port', 'x', '--', '-h']\n"


@posix
def test_run_of_a_command_that_a_signal_kills_ends_as_a_shell_would_say() -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run("run", "--port", "0", "--", sys.executable, "-c", code).returncode == 128 + 9


@posix
def test_run_of_a_command_that_cannot_be_run_says_so() -> None:
    missing = run("run", "--port", "0", "--", "no-such-command")
    assert (missing.returncode, missing.stderr) == (127, "pinpoint-otp: no-such-command: No such file or directory\n")
    folder = run("run", "--port", "0", "--", "/")
    assert (folder.returncode, folder.stderr) == (126, "pinpoint-otp: /: Permission denied\n")


@posix
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1"])
def test_run_passes_a_signal_on_and_ends_with_the_command(name: str) -> None:
    code = f"""
import signal, sys
signal.signal(signal.{name}, lambda *given: sys.exit(5))
print("ready", flush=True)
while True:
    signal.pause()
"""
    # Without a terminal, where nobody else would tell the command.
    process = subprocess.Popen(
        [*PROGRAM, "run", "--port", "0", "--", sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    with process:
        try:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            process.send_signal(getattr(signal, name))
            assert process.communicate(timeout=PATIENCE) == ("", "")
            assert process.returncode == 5
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@posix
def test_ctrl_c_in_a_terminal_reaches_the_command_once() -> None:
    import pty

    code = """
import signal
ends = {signal.SIGINT, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, ends)
print("ready", flush=True)
signal.sigwait({signal.SIGINT})
print("taken", flush=True)
print("again" if signal.sigwait(ends) == signal.SIGINT else "once", flush=True)
"""
    child, terminal = pty.fork()
    if not child:
        os.execv(sys.executable, [*PROGRAM, "run", "--port", "0", "--", sys.executable, "-c", code])

    def read_until(word: bytes) -> None:
        output = b""
        while word not in output:
            output += os.read(terminal, 1000)
            assert b"again" not in output

    try:
        read_until(b"ready")
        # Two that come before the first is taken would be one.
        os.kill(child, signal.SIGSTOP)
        os.waitpid(child, os.WUNTRACED)
        os.write(terminal, b"\x03")
        read_until(b"taken")
        os.kill(child, signal.SIGTERM)
        os.kill(child, signal.SIGCONT)
        read_until(b"once")
    finally:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        os.close(terminal)


@posix
def test_ctrl_c_on_windows_is_left_to_the_console() -> None:
    sends = """
import os, signal
ends = {signal.SIGINT, signal.SIGTERM}
signal.pthread_sigmask(signal.SIG_BLOCK, ends)
os.kill(os.getppid(), signal.SIGINT)
os.kill(os.getppid(), signal.SIGTERM)
raise SystemExit(3 if signal.sigwait(ends) == signal.SIGINT else 4)
"""
    # What is Windows's own in the standard library is imported before.
    code = "import shutil, sys, pytest_pinpoint_otp.__main__ as it; sys.platform = 'win32'; sys.exit(it.main())"
    given = ["run", "--port", "0", "--", sys.executable, "-c", sends]
    result = subprocess.run([sys.executable, "-c", code, *given], timeout=60, start_new_session=True, check=False)
    assert result.returncode == 4


def test_the_command_imports_no_botocore() -> None:
    code = (
        "import sys, pytest_pinpoint_otp.__main__ as command;"
        "assert command.main(['run', '--port', '0', '--', sys.executable, '-c', '']) == 0;"
        "print(sorted({'botocore', 'boto3', 'pytest', 'hypothesis'} & {*sys.modules}))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (result.stdout, result.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["run"], "run: give the command after two dashes: pinpoint-otp run -- COMMAND..."),
        (["run", "uvicorn", "shop:app"], "run: give the command after two dashes: pinpoint-otp run -- COMMAND..."),
        (["run", "--prot", "0", "--", "true"], "unrecognized arguments: --prot 0"),
        (["serve", "shop"], "unrecognized arguments: shop"),
        (["run", "--"], "run: give the command after two dashes: pinpoint-otp run -- COMMAND..."),
        (["serve", "--", "true"], "serve takes no command; run does: pinpoint-otp run -- COMMAND..."),
        (["serve", "--port", "65536"], "--port is 65536, but takes 0 to 65535."),
        (["serve", "--hold", "-1"], "--hold is -1.0, but takes seconds from 0 to 86400."),
        (["serve", "--plan", "no-such.json"], "--plan: no-such.json: No such file or directory"),
        ([], "the following arguments are required: serve|run"),
    ],
)
def test_a_wrong_argument_is_named(capsys: pytest.CaptureFixture[str], arguments: list[str], text: str) -> None:
    with pytest.raises(SystemExit) as end:
        command.main(arguments)
    assert end.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"pinpoint-otp: error: {text}"


def test_without_h11_the_command_names_the_extra_in_one_line() -> None:
    code = "import sys; sys.modules['h11'] = None; import pytest_pinpoint_otp.__main__"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    extra = '"pytest-pinpoint-otp[server]"'
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"pinpoint-otp: The server needs h11: pip install {extra}.\n"


def test_a_plan_that_is_none_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text('{"version": 1, "steps": [{"outcome": "OPT_OT"}]}')
    with pytest.raises(SystemExit):
        command.main(["serve", "--plan", str(plan)])
    error = capsys.readouterr().err
    assert str(plan) in error
    assert "Did you mean 'OPT_OUT'?" in error


@posix
def test_a_port_that_is_taken_is_told() -> None:
    with serve_pinpoint_otp() as server:
        result = run("run", "--port", str(server.port), "--", "true")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == f"pinpoint-otp: 127.0.0.1:{server.port}: Address already in use\n"


def test_a_host_that_no_machine_can_have_is_told() -> None:
    result = run("serve", "--host", "a..b")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("pinpoint-otp: a..b:4599: 'a..b' cannot be the name of a host: ")


def test_the_inbox_is_opened_in_a_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    import webbrowser

    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    assert command.main(["run", "--port", "0", "--open", "--", sys.executable, "-c", ""]) == 0
    (url,) = opened
    assert url.startswith("http://127.0.0.1:")
    with pytest.raises(OSError, match="refused"):
        urlopen(url)


def test_signals_do_afterwards_what_they_did_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    command.main(["run", "--port", "0", "--", sys.executable, "-c", ""])
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_plan_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        command.main(["serve", "--plan", str(tmp_path / "missing.json")])
    assert f"--plan: {tmp_path / 'missing.json'}: No such file or directory" in capsys.readouterr().err
