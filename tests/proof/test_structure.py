"""The structure of the package: which way imports run, what each folder may know, and how long a file may be.

Each test names every violation, as ``module: what it does``.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGE = "pytest_pinpoint_otp"

BELOW = {
    "apis": (),
    "engine": ("apis",),
    "transports.active": ("engine", "apis"),
    "transports.botocore": ("transports.active", "engine", "apis"),
    "transports.http": ("transports.active", "engine", "apis"),
    "fake": ("transports", "engine", "apis"),
    "mock": ("fake", "transports", "engine", "apis"),
    "strategies": ("engine", "apis"),
    "hypothesis_entry": ("strategies", "engine", "apis"),
    "stateful": ("strategies", "mock", "fake", "engine", "apis"),
    "server": ("transports.http", "transports.active", "mock", "fake", "engine", "apis"),
    "__main__": ("server", "mock", "fake", "engine", "apis"),
    "plugin": ("server", "stateful", "strategies", "mock", "fake", "transports", "engine", "apis"),
}
"""The rooms that each room may import: those below it."""

LIBRARIES = {
    "pytest": ("plugin",),
    "_pytest": ("plugin",),
    "hypothesis": ("strategies", "hypothesis_entry", "stateful"),
    "phonenumbers": ("strategies",),
    "botocore": ("transports.botocore", "engine.faults.transport_errors"),
    "boto3": ("transports.botocore",),
    "aiobotocore": ("transports.botocore",),
    "moto": ("transports.botocore",),
    "h11": ("transports.http",),
    "trio": ("engine.waiting",),
}
"""The rooms that may import a library. Every other library but the standard one is a violation anywhere."""

API_NAMES = re.compile(
    r"\b(SendOTPMessage|VerifyOTPMessage|(Send|Validate)NotifyCodeVerification"
    r"|(Create|Get|Update|Delete|List)NotifyCodeConfigurations?|(Tag|Untag)Resource|ListTagsForResource)\b"
    r"|^(pinpoint|endusermessaging)$"
)

LINES = {"fake.py": 450}
LINES_OF_A_FILE = 400
LINES_OF_A_CLASS = 300
LONG_CLASSES = ("PinpointOTP",)


class Import(NamedTuple):
    """One name that a module imports."""

    module: str
    name: str | None
    """What is taken from the module; None where it is the module itself."""


@cache
def modules() -> dict[str, ast.Module]:
    """Return the modules of the package by their names inside of it; "" is the package itself."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT / PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imports(tree: ast.Module) -> Iterator[Import]:
    """Yield what a module imports when it runs, at its start or later; not what only a type checker reads."""
    for node in walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, None) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "imports are absolute"
            yield from (Import(str(node.module), alias.name) for alias in node.names)


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree, but for those under ``if TYPE_CHECKING``."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from walk(child)


def own_imports(name: str) -> set[str]:
    """Return the modules of the package that one of them imports."""
    found = set()
    for module, taken in imports(modules()[name]):
        head, _, inside = module.partition(".")
        if head == PACKAGE:
            deeper = f"{inside}.{taken}".lstrip(".")
            found.add(deeper if taken and deeper in modules() else inside)
    return found


def lies_in(name: str, rooms: Iterable[str]) -> bool:
    """Tell whether a module is one of these rooms, or inside one."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def room_of(name: str) -> str:
    """Return the room that a module is in."""
    return next((room for room in BELOW if lies_in(name, [room])), name)


def assert_none(violations: Iterable[str]) -> None:
    """Fail with all violations, one a line."""
    found = sorted({*violations})
    assert not found, "\n" + "\n".join(found)


def test_imports_run_downwards_only() -> None:
    assert_none(
        f"{name}: imports {target or PACKAGE}"
        for name in modules()
        for target in own_imports(name)
        if room_of(target) != room_of(name) and not lies_in(target, BELOW.get(room_of(name), ()))
    )


def test_every_module_has_a_room() -> None:
    # The two packages that hold nothing but a docstring are part of none.
    assert_none(name for name in modules() if name not in ("", "transports") and room_of(name) not in BELOW)


def test_imports_make_no_circle() -> None:
    graph = {name: own_imports(name) & modules().keys() - {name} for name in modules()}
    # What imports nothing is in no circle, and neither is what imports only such modules, nor what nobody imports.
    while loose := {
        name for name, targets in graph.items() if not targets or all(name not in others for others in graph.values())
    }:
        graph = {name: targets - loose for name, targets in graph.items() if name not in loose}
    assert_none(f"{name}: in a circle with {', '.join(sorted(targets))}" for name, targets in graph.items())


def test_each_library_is_imported_where_it_belongs() -> None:
    assert_none(
        f"{name}: imports {library}"
        for name, tree in modules().items()
        for library in {module.partition(".")[0] for module, _ in imports(tree)}
        if library not in {*sys.stdlib_module_names, PACKAGE} and not lies_in(name, LIBRARIES.get(library, ()))
    )


def test_nobody_takes_a_module_from_its_package() -> None:
    # `from a.b import c` finds the attribute of the package, and so the module of an earlier run of pytester's, which
    # replaces modules but not packages. `import a.b.c as c` and `from a.b.c import name` find the live one.
    taking = re.compile(rf"from {PACKAGE}((?:\.\w+)*) import (?:\(([^)]*)\)|([^\n]*))")
    violations = []
    for path in [*(ROOT / PACKAGE).rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "docs").rglob("*.*")]:
        if path.suffix not in (".py", ".md"):
            continue
        # As text, because many a suite for pytester is a string.
        for package, in_lines, in_line in taking.findall(path.read_text(encoding="utf-8")):
            for name in re.findall(r"\w+", re.sub(r" as \w+|#.*", "", in_lines or in_line)):
                if f"{package}.{name}".lstrip(".") in modules():
                    violations.append(f"{path.relative_to(ROOT)}: from {PACKAGE}{package} import {name}")
    assert_none(violations)


def private_names(tree: ast.AST) -> set[str]:
    """Return the private names that a module defines: functions, classes, variables, attributes of its instances."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case ast.Name(ctx=ast.Store()):
                found.add(node.id)
            case ast.Attribute(ctx=ast.Store()) if ast.unparse(node.value) in ("self", "cls"):
                found.add(node.attr)
    return {name for name in found if re.match(r"_(?!_)", name)}


def uses_of_private_names(tree: ast.AST) -> set[str]:
    """Return the private names that a module takes from another, or reads of what it did not make."""
    taken = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(PACKAGE)
        for alias in node.names
    }
    read = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls")
    }
    return {name for name in taken | read if re.match(r"_(?!_)", name)} - private_names(tree)


def test_no_module_uses_a_private_name_of_another() -> None:
    ours = set().union(*map(private_names, modules().values()))
    trees = {f"{PACKAGE}.{name}": tree for name, tree in modules().items()}
    for path in (ROOT / "tests").rglob("*.py"):
        trees[str(path.relative_to(ROOT))] = ast.parse(path.read_text(encoding="utf-8"))
    # Names of other libraries are not ours, unless both have one of the same name.
    assert_none(
        f"{name}: uses {private}" for name, tree in trees.items() for private in uses_of_private_names(tree) & ours
    )


def strings(tree: ast.AST) -> Iterator[str]:
    """Yield the strings of a module's code: neither docstrings nor annotations nor defaults of arguments."""
    for child in ast.iter_child_nodes(tree):
        match child:
            case ast.Expr(value=ast.Constant()) | ast.arguments():
                continue
            case ast.AnnAssign():
                if child.value is not None:
                    yield from strings(ast.Expression(child.value))
            case ast.Constant(value=str(text)):
                yield text
            case _:
                yield from strings(child)


def test_an_api_is_named_in_its_own_room_only() -> None:
    assert_none(
        f"{name}: says {text!r}"
        for name, tree in modules().items()
        if room_of(name) != "apis"
        for text in strings(tree)
        if API_NAMES.search(text)
    )


def test_files_and_classes_are_short() -> None:
    violations = []
    for path in (ROOT / PACKAGE).rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        lengths = [("the file", len(text.splitlines()), LINES.get(path.name, LINES_OF_A_FILE))]
        lengths += [
            (node.name, (node.end_lineno or 0) - node.lineno + 1, LINES_OF_A_CLASS)
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.ClassDef) and node.name not in LONG_CLASSES
        ]
        violations += [f"{path.relative_to(ROOT)}: {name} is too long" for name, lines, most in lengths if lines > most]
    assert_none(violations)
