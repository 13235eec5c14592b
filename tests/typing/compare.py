"""Let mypy and pyright read suites as users write them, and compare what they report with what is expected.

`user_suite.py` is right; in `wrong_uses.py` each line with `# error:` must be reported, by both, and no other line.
Run it from another folder, so that the installed package is read: ``python .../tests/typing/compare.py``.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
FILES: Final = ("user_suite.py", "wrong_uses.py")
OLDEST: Final = "3.11"

Reported = dict[str, dict[int, set[str]]]
"""By file and line, the codes of errors."""


def ask_mypy(paths: list[str]) -> Reported:
    """Return what mypy reports."""
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--python-version", OLDEST, *paths]
    output = subprocess.run(command, check=False, capture_output=True, text=True)
    found: Reported = defaultdict(lambda: defaultdict(set))
    for line in output.stdout.splitlines():
        if match := re.fullmatch(r"(.+?):(\d+): error: .*\[([\w-]+)\]", line):
            found[Path(match[1]).name][int(match[2])].add(match[3])
    if output.returncode > 1 or output.stderr:
        sys.exit(f"mypy failed:\n{output.stdout}{output.stderr}")
    return found


def ask_pyright(paths: list[str]) -> Reported:
    """Return what pyright reports."""
    command = ["pyright", "--pythonpath", sys.executable, "--pythonversion", OLDEST, "--outputjson", *paths]
    output = subprocess.run(command, check=False, capture_output=True, text=True)
    if output.returncode > 1:
        sys.exit(f"pyright failed:\n{output.stdout}{output.stderr}")
    found: Reported = defaultdict(lambda: defaultdict(set))
    for one in json.loads(output.stdout)["generalDiagnostics"]:
        found[Path(one["file"]).name][one["range"]["start"]["line"] + 1].add(one.get("rule", "no rule"))
    return found


def read_expected(path: Path) -> dict[int, tuple[str, str]]:
    """Return mypy's code and pyright's rule of each line that is marked."""
    marks = re.compile(r"# error: ([\w-]+), (\w+)$")
    lines = path.read_text(encoding="utf-8").splitlines()
    return {number: (mark[1], mark[2]) for number, line in enumerate(lines, 1) if (mark := marks.search(line))}


def main() -> None:
    """Compare, and fail with every difference."""
    paths = [str(HERE / name) for name in FILES]
    checkers = {"mypy": ask_mypy(paths), "pyright": ask_pyright(paths)}
    differences = []
    for name in FILES:
        expected = read_expected(HERE / name)
        for place, (checker, reported) in enumerate(checkers.items()):
            for line in sorted({*expected, *reported[name]}):
                codes = reported[name].get(line, set())
                wanted = expected[line][place] if line in expected else None
                if wanted is None or wanted not in codes:
                    told = ", ".join(sorted(codes)) or "nothing"
                    differences.append(f"{name}:{line}: {checker} reports {told}, not {wanted or 'nothing'}")
    if differences:
        sys.exit("\n".join(differences))
    print(f"{len(read_expected(HERE / 'wrong_uses.py'))} wrong uses are reported, and nothing else is.")


if __name__ == "__main__":
    main()
