"""What the tests of this repository need: pytester, and Sybil, which runs every example of README.md and docs/.

A block that begins with a comment of a file name, such as ``# sign_up.py``, is that file, there for the later examples
of its page. Any other Python block is a test file, which pytest runs. A test whose ``def`` line says ``# fails`` has to
fail, and a text block after an example has to be in pytest's output for it. An example for a package that is not
installed is skipped.
"""

from __future__ import annotations

# Not for use here: a module that is first imported by pytester's run in the same process is gone after it, while what
# others took from it stays, and this one's functions would then not be found by pickle.
import concurrent.futures.process  # noqa: F401
import gc
import os
import re
from functools import cache
from pathlib import Path

import boto3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sybil import Example, Sybil
from sybil.parsers.myst import CodeBlockParser

pytest_plugins = ["pytester"]
# How long an example takes is the business of the machine; in a CI job Hypothesis would print more of a failure; and a
# checkout may be one that nobody can write to.
settings.register_profile("everywhere the same", deadline=None, print_blob=False, database=None)
settings.load_profile("everywhere the same")
# Projects of their own, with a configuration of their own: docs/test_examples.py runs them.
collect_ignore = ["docs/examples"]

_SIGN_UP = Path(__file__).parent / "docs" / "examples" / "sign_up"
_FILE_NAME = re.compile(r"# ([\w.]+\.\w+)\n")
_OPTIONAL = re.compile(r"^(?:from|import) (aiobotocore|flask|moto)\b", re.MULTILINE)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d:\d\d\.\d{3}")


def pytest_collection_finish() -> None:
    # Each pytest that pytester starts in this process collects garbage at its end, pytest 8.4 five times. What has been
    # imported by now is half a million objects, and stays: no collection needs to look at them.
    # Hypothesis before: at its first draw it looks for what refers to its generator, and would no longer find it.
    given(st.none())(lambda nothing: None)()
    gc.freeze()


def _evaluate(example: Example) -> None:
    text = str(example.parsed)
    named = _FILE_NAME.match(text)
    if named and not named[1].startswith("test_"):
        return
    pytester, monkeypatch = example.namespace["pytester"], example.namespace["monkeypatch"]
    _forget_credentials(monkeypatch)
    files = _files_before(example)
    everything = "\n".join([text, *(earlier for _, earlier in files)])
    for package in _OPTIONAL.findall(everything):
        pytest.importorskip(package)
    if 'client("endusermessaging"' in everything and "endusermessaging" not in _session().get_available_services():
        pytest.skip("this botocore has no endusermessaging")
    for name, earlier in files:
        (pytester.path / name).write_text(earlier, encoding="utf-8")
    name = named[1] if named else "test_example.py"
    (pytester.path / name).write_text(text, encoding="utf-8")
    pytester.syspathinsert(_SIGN_UP)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", _session())
    # Other plugins of the environment have no part in what a page says.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    plugins = ["-p", "pinpoint_otp", *(["-p", "anyio"] if "pytest.mark.anyio" in text else [])]
    result = pytester.runpytest_inprocess(*plugins, "-W", "error", "--strict-markers", name)
    output = result.stdout.str()
    outcomes = result.parseoutcomes()
    failures = outcomes.get("failed", 0) + outcomes.get("errors", 0)
    ran = outcomes.get("passed", 0) + failures or "def test" not in text
    if failures != text.count("# fails") or not ran or result.ret not in (0, 1, 5):
        raise AssertionError(output)
    for shown in _output_after(example):
        if _MOMENT.sub("*", shown.strip()) not in _MOMENT.sub("*", output):
            raise AssertionError(f"The page shows\n{shown}\nbut pytest says\n{output}")


def _forget_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no example find credentials: some make calls, or the application's client, with no fake active."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@cache
def _session() -> boto3.Session:
    """Return the default session of all examples: each would otherwise parse botocore's model anew."""
    return boto3.Session()


def _files_before(example: Example) -> list[tuple[str, str]]:
    """Return the files that the page shows before an example, by name and text."""
    texts = [str(other.parsed) for other in example.document.examples() if other.start < example.start]
    return [(named[1], text) for text in texts if (named := _FILE_NAME.match(text))]


def _output_after(example: Example) -> list[str]:
    """Return the text blocks between an example and the next one."""
    shown = []
    for other in example.document.examples():
        if other.start > example.start:
            if other.region.lexemes["arguments"] != "text":
                break
            shown.append(str(other.parsed))
    return shown


def _leave_to_pages(example: Example) -> None:
    """Evaluate nothing: files and outputs belong to the Python examples around them."""


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser("python", _evaluate),
        CodeBlockParser("toml", _leave_to_pages),
        CodeBlockParser("ini", _leave_to_pages),
        CodeBlockParser("text", _leave_to_pages),
    ],
    patterns=["README.md", "docs/*.md", "docs/**/*.md"],
    fixtures=["pytester", "monkeypatch"],
).pytest()
