"""The pages hold together where nobody builds them: links, pictures, and what a page repeats from elsewhere."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import pydoc
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pytest_pinpoint_otp
import pytest_pinpoint_otp.stateful as stateful
import pytest_pinpoint_otp.strategies as strategies
from pytest_pinpoint_otp import Attempt, Call, PinpointOTP, SentMessage, Verification
from pytest_pinpoint_otp.engine.options import OptionValues
from pytest_pinpoint_otp.transports.http.commands import COMMANDS

DOCS = Path(__file__).parent
ROOT = DOCS.parent
HIDDEN = re.compile(r"_build|\..*")
PAGES = sorted(page for page in DOCS.rglob("*.md") if not any(map(HIDDEN.fullmatch, page.relative_to(DOCS).parts)))
LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", [ROOT / "README.md", *PAGES], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_pages_links_lead_to_files(page: Path) -> None:
    broken = [link for link in LINK.findall(read(page)) if not (page.parent / link).exists()]

    assert broken == []


def test_the_index_has_a_plain_link_to_every_page() -> None:
    index = DOCS / "index.md"
    linked = {(DOCS / link).resolve() for link in LINK.findall(read(index))}

    assert [page.name for page in PAGES if page != index and page.resolve() not in linked] == []


def test_getting_started_shows_the_example_application() -> None:
    application = read(DOCS / "examples" / "sign_up" / "sign_up.py")

    assert f"```python\n# sign_up.py\n{application}```\n" in read(DOCS / "getting-started.md")


def test_pages_show_the_files_of_examples_as_they_are() -> None:
    shown = [block for page in PAGES for block in re.findall(r"```py\n# (\S+)\n(.*?)```", read(page), re.DOTALL)]

    assert shown
    assert [file for file, text in shown if read(ROOT / file) != text] == []


def test_pages_show_parts_of_examples_as_they_are() -> None:
    shown = [block for page in PAGES for block in re.findall(r"```py\n# From (\S+)\n(.*?)```", read(page), re.DOTALL)]

    assert shown
    assert [file for file, text in shown if text not in read(ROOT / file)] == []


def test_pages_include_no_files_that_a_code_host_would_not_show() -> None:
    assert [page.name for page in PAGES if "literalinclude" in read(page)] == []


def test_the_reference_begins_with_a_use_of_every_method_of_the_fake() -> None:
    overview = read(DOCS / "reference" / "api.md").partition("```{eval-rst}")[0]
    used = set()
    for code in re.findall(r"`(?:await )?(fake\.[^`]+)`", overview):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                used.add(node.attr)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                method = getattr(PinpointOTP, node.func.attr)
                keywords = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
                inspect.signature(method).bind(None, *node.args, **dict.fromkeys(keywords))

    assert used == {name for name in vars(PinpointOTP) if not name.startswith("_")}


def test_the_reference_has_every_option_and_every_command() -> None:
    options = re.findall(r"^\| `(\w+)` \| (?:str|list|int|bool)", read(DOCS / "reference" / "options.md"), re.MULTILINE)
    commands = re.findall(r"^\| `(GET|POST) (\w+)`", read(DOCS / "reference" / "json-api.md"), re.MULTILINE)

    assert options == list(OptionValues.__annotations__)
    assert {name: method for method, name in commands} == {name: one.method for name, one in COMMANDS.items()}


def test_the_reference_has_every_argument_of_the_outcomes() -> None:
    table = read(DOCS / "reference" / "api.md").partition("## Outcomes")[2].partition("```{eval-rst}")[0]
    arguments: dict[str, list[str]] = {}
    for outcome, argument in re.findall(r"^\| (?:`(\w+)` )?\| `(\w+)`", table, re.MULTILINE):
        if outcome:
            arguments[outcome] = []
        [*arguments.values()][-1].append(argument)

    assert set(arguments) == {"Delivery", "ErrorResponse", "LostResponse", "RawResponse"}
    for name, documented in arguments.items():
        parameters = inspect.signature(getattr(pytest_pinpoint_otp, name)).parameters
        assert documented == list(parameters)
        required = [one for one, parameter in parameters.items() if parameter.default is parameter.empty]
        assert required == ([] if name == "LostResponse" else documented[:1])


@pytest.mark.parametrize("record", [SentMessage, Call, Attempt, Verification], ids=lambda record: record.__name__)
def test_the_reference_has_every_field_of_a_record(record: Any) -> None:
    section = read(DOCS / "reference" / "api.md").partition(f":: {record.__name__}()\n")[2].partition("\n###")[0]
    cells = re.findall(r"^\| (`.+?) \|", section, re.MULTILINE)
    properties = [name for name, value in vars(record).items() if isinstance(value, property) and name != "key"]

    assert re.findall(r"`(\w+)`", " ".join(cells)) == [*record._fields, *properties]


def test_pydoc_shows_the_docstrings_of_the_fake() -> None:
    assert "python -m pydoc pytest_pinpoint_otp.PinpointOTP\n" in read(DOCS / "reference" / "api.md")

    shown = pydoc.plain(pydoc.render_doc("pytest_pinpoint_otp.PinpointOTP"))
    assert " |  code_for(" in shown


@pytest.mark.parametrize("module", [pytest_pinpoint_otp, strategies, stateful], ids=lambda module: module.__name__)
def test_the_reference_has_every_public_name(module: ModuleType) -> None:
    reference = read(DOCS / "reference" / "api.md")
    documented = set(re.findall(r"auto\w+:: (?:\w+\.)*(\w+)", reference))

    constants = {name for name in module.__all__ if name.isupper()}
    assert set(module.__all__) - constants <= documented


def test_the_reference_has_every_property_of_the_state_machine() -> None:
    documented = re.findall(r"automethod:: OTPStateMachine\.(\w+)", read(DOCS / "reference" / "api.md"))

    assert sorted(documented) == sorted(stateful.PROPERTIES)


def test_the_pictures_are_those_that_are_drawn() -> None:
    drawn = {name: str(draw()) for name, draw in load(DOCS / "pictures" / "draw.py").PICTURES.items()}

    assert {path.stem for path in (DOCS / "pictures").glob("*.svg")} == set(drawn)
    stale = [name for name, picture in drawn.items() if read(DOCS / "pictures" / f"{name}.svg") != picture]
    assert stale == [], "Draw them anew: python docs/pictures/draw.py"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ("https://code.example/blob/1", "[Get started](https://code.example/blob/1/docs/getting-started.md)"),
        ("", "Get started (`docs/getting-started.md`)"),
    ],
)
def test_the_readme_of_a_package_index_has_no_link_to_a_file_beside_it(files: str, expected: str) -> None:
    pytest.importorskip("hatchling")

    text = load(ROOT / "hatch_build.py").readme_for_index(read(ROOT / "README.md"), files)

    assert expected in text
    assert LINK.findall(text) == []
