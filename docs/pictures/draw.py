"""Draw the pictures of these pages: ``python docs/pictures/draw.py`` writes each as an SVG file beside this one.

They are narrow, so that their text can be read on a phone, and have a ground of their own, so that it can be read where
the page is darker or lighter than the picture. ``chart`` takes its figures from the table of docs/benchmarks.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent
WIDTH = 460
HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{title}</title>
<style>
text {{ font: 14px system-ui, sans-serif; fill: #1f2328; }}
.strong {{ font-weight: 600; }} .small {{ font-size: 13px; fill: #424a53; }}
.code {{ font-family: ui-monospace, monospace; font-size: 12.5px; }}
.ground {{ fill: #ffffff; stroke: #d0d7de; }} .line {{ fill: none; stroke: #57606a; stroke-width: 1.5; }}
.tip {{ fill: #57606a; }} .dashed {{ stroke-dasharray: 5 4; }} .faint {{ stroke-opacity: 0.3; stroke-width: 1; }}
.lost {{ fill: none; stroke: #cf222e; stroke-width: 2.5; }}
.plain {{ fill: #f3f5f7; stroke: #8c959f; }} .ours {{ fill: #ddf1ff; stroke: #0969da; }}
.good {{ fill: #dcf5e2; stroke: #1a7f37; }} .bad {{ fill: #ffebe9; stroke: #cf222e; }}
@media (prefers-color-scheme: dark) {{
text {{ fill: #e6edf3; }} .small {{ fill: #b4bec9; }}
.ground {{ fill: #14171b; stroke: #3d444d; }} .line {{ stroke: #9da7b3; }} .tip {{ fill: #9da7b3; }}
.lost {{ stroke: #ff7b72; }} .plain {{ fill: #23282f; stroke: #7d8590; }} .ours {{ fill: #0d2f50; stroke: #58a6ff; }}
.good {{ fill: #12351c; stroke: #3fb950; }} .bad {{ fill: #43181b; stroke: #ff7b72; }}
}}
</style>
<rect class="ground" x="0.5" y="0.5" width="{inner_width}" height="{inner_height}" rx="8"/>
"""
Anchor = Literal["start", "middle", "end"]


class Picture:
    """A picture in the making: what is added first is below."""

    def __init__(self, title: str, height: int) -> None:
        self._height = height
        self._parts = [
            HEAD.format(title=escape(title), width=WIDTH, height=height, inner_width=WIDTH - 1, inner_height=height - 1)
        ]

    def text(self, x: float, y: float, text: str, kind: str = "", anchor: Anchor = "start") -> None:
        """Write a line of text, with its baseline at y."""
        placed = "" if anchor == "start" else f' text-anchor="{anchor}"'
        styled = f' class="{kind}"' if kind else ""
        self._parts.append(f'<text x="{x:g}" y="{y:g}"{styled}{placed}>{escape(text, quote=False)}</text>\n')

    def box(self, x: float, y: float, width: float, height: float, kind: str, lines: Sequence[str] = ()) -> None:
        """Draw a box with lines of text in its middle, of which the first is strong; a ` begins a line of code."""
        self._parts.append(f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="6"/>\n')
        first = y + height / 2 + 5 - (len(lines) - 1) * 9.5
        for number, line in enumerate(lines):
            style = "code" if line.startswith("`") else "small" if number else "strong"
            self.text(x + width / 2, first + 19 * number, line.removeprefix("`"), style, "middle")

    def line(self, *points: tuple[float, float], kind: str = "line") -> None:
        """Draw a line through points."""
        path = " ".join(f"{x:g},{y:g}" for x, y in points)
        self._parts.append(f'<polyline class="{kind}" points="{path}"/>\n')

    def arrow(self, *points: tuple[float, float], kind: str = "line") -> None:
        """Draw a line through points with a tip at its end, which goes straight across or straight up or down."""
        (x, y), (before_x, before_y) = points[-1], points[-2]
        along = (math.copysign(1, x - before_x) if x != before_x else 0, 0) if y == before_y else None
        step_x, step_y = along or (0, math.copysign(1, y - before_y))
        self.line(*points[:-1], (x - 7 * step_x, y - 7 * step_y), kind=kind)
        corners = [(x, y)] + [
            (x - 9 * step_x + side * 4.5 * step_y, y - 9 * step_y + side * 4.5 * step_x) for side in (1, -1)
        ]
        self._parts.append(f'<polygon class="tip" points="{" ".join(f"{a:g},{b:g}" for a, b in corners)}"/>\n')

    def cross(self, x: float, y: float) -> None:
        """Draw the place where something is lost."""
        self.line((x - 6, y - 6), (x + 6, y + 6), kind="lost")
        self.line((x - 6, y + 6), (x + 6, y - 6), kind="lost")

    def dot(self, x: float, y: float, kind: str, radius: float = 6) -> None:
        """Draw a dot."""
        self._parts.append(f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="{radius:g}"/>\n')

    def __str__(self) -> str:
        return "".join([*self._parts, "</svg>\n"])


def call() -> Picture:
    """Draw what happens to a call."""
    picture = Picture(
        "A call goes from the application through botocore to the plugin's transport and service, and its answer back",
        462,
    )
    left, right = 110, 350
    boxes = [
        ("plain", ["Your application", "calls its own boto3 client"]),
        ("plain", ["botocore", "down: validates, builds the HTTP request", "up: retries, parses, raises"]),
        ("ours", ["Transport", "takes the request instead of a socket"]),
        ("ours", ["Service", "limits, faults, codes, records"]),
    ]
    arrows = [("arguments", "dict or exception"), ("HTTP request", "HTTP answer"), ("the same", "the same")]
    y = 20
    for number, (kind, lines) in enumerate(boxes):
        height = 74 if len(lines) == 3 else 56
        picture.box(30, y, 400, height, kind, lines)
        y += height
        if number < len(arrows):
            down, up = arrows[number]
            picture.arrow((left, y), (left, y + 48))
            picture.text(left + 12, y + 29, down, "small")
            picture.arrow((right, y + 48), (right, y))
            picture.text(right - 12, y + 29, up, "small", "end")
            y += 48
    picture.box(30, y + 20, 16, 16, "plain")
    picture.text(54, y + 33, "your code, and the SDK's", "small")
    picture.box(250, y + 20, 16, 16, "ours")
    picture.text(274, y + 33, "this plugin", "small")
    return picture


def code() -> Picture:
    """Draw the life of a code."""
    picture = Picture(
        "A sent code is live until it is verified, replaced by a resend, expired, or locked after too many wrong codes",
        420,
    )
    picture.box(16, 16, 108, 40, "plain", ["a send"])
    picture.arrow((70, 56), (70, 86))
    picture.box(16, 86, 108, 316, "ours")
    picture.text(70, 228, "LIVE", "strong", "middle")
    for number, line in enumerate(["a wrong code", "uses up one", "attempt"]):
        picture.text(70, 254 + 18 * number, line, "small", "middle")
    picture.text(444, 40, "reason that a later try gets", "small", "end")
    ends = [
        ("right code", "good", ["VERIFIED", "`ALREADY_VERIFIED"]),
        ("a resend", "bad", ["SUPERSEDED", "`SUPERSEDED"]),
        ("time is over", "bad", ["EXPIRED", "`EXPIRED"]),
        ("attempts used up", "bad", ["EXHAUSTED", "`ATTEMPTS_EXHAUSTED"]),
    ]
    for number, (why, kind, lines) in enumerate(ends):
        y = 90 + 80 * number
        picture.text(195, y + 24, why, "small", "middle")
        picture.arrow((124, y + 34), (266, y + 34))
        picture.box(266, y, 178, 68, kind, lines)
    return picture


def answers() -> Picture:
    """Draw who answers a call."""
    steps = [
        ("Refusal", "unknown application, outside limits", "plain"),
        ("Finite injections", "oldest first", "ours"),
        ("Standing injections", "times=None, newest first", "ours"),
        ("Quotas", "`limit_rate", "ours"),
        ("Opt-outs", "`opt_out", "ours"),
        ("The service", "issues and verifies codes", "good"),
    ]
    picture = Picture(
        "The first that applies answers: refusal, finite injections, standing injections, quotas, opt-outs, service",
        62 + 78 * len(steps),
    )
    picture.text(24, 34, "a call arrives", "small")
    picture.arrow((150, 40), (150, 60))
    for number, (name, what, kind) in enumerate(steps):
        y = 60 + 78 * number
        picture.box(24, y, 300, 50, kind, [name, what])
        picture.arrow((324, y + 25), (372, y + 25))
        picture.text(380, y + 30, "answers", "small")
        if number < len(steps) - 1:
            picture.arrow((150, y + 50), (150, y + 78))
            picture.text(164, y + 69, "does not apply", "small")
    return picture


def clocks() -> Picture:
    """Draw the two clocks."""
    picture = Picture(
        "freezegun and time-machine move the application's clock and the service's; advance moves the service's alone",
        388,
    )
    application, service = 110, 350
    picture.box(20, 16, 180, 62, "plain", ["Application's clock", "`time.time()"])
    picture.box(260, 16, 180, 62, "ours", ["Service's clock", "`pinpoint_otp.now()"])
    moments = [(112, "12:00", "12:00"), (232, "12:10", "12:10"), (352, "12:10", "12:20")]
    for x in (application, service):
        picture.line((x, 78), (x, 372), kind="line dashed")
    for y, one, other in moments:
        picture.dot(application, y, "plain")
        picture.text(application - 16, y + 5, one, "strong", "end")
        picture.dot(service, y, "ours")
        picture.text(service + 16, y + 5, other, "strong")
    picture.box(140, 134, 180, 78, "ground", ["freezegun", "or time-machine:", "10 minutes on"])
    picture.arrow((140, 173), (application, 173), (application, 226))
    picture.arrow((320, 173), (service, 173), (service, 226))
    picture.box(140, 262, 180, 62, "ground", ["`advance(minutes=10)", "the application's stays"])
    picture.arrow((320, 293), (service, 293), (service, 346))
    return picture


def lost_answer() -> Picture:
    """Draw a send whose answer is lost."""
    return _lost(
        "The answer to the first attempt is lost: botocore repeats the request, and the handset gets two texts",
        "send",
        ("first code", "second code"),
        ("answer", "sent"),
        "two texts, and only the second code works",
    )


def lost_verification() -> Picture:
    """Draw a verification whose answer is lost."""
    return _lost(
        "The answer to the first attempt is lost: botocore repeats the request, and the code is used up by then",
        "check",
        ("code accepted", "already used"),
        ("Valid: False", "False"),
        "the user is told that the right code is wrong",
    )


def _lost(title: str, call: str, work: tuple[str, str], back: tuple[str, str], end: str) -> Picture:
    picture = Picture(title, 450)
    delivers = call == "send"
    columns = {"application": 62, "botocore": 174, "service": 286, "handset": 398}
    for name, x in columns.items():
        if name != "handset" or delivers:
            picture.box(x - 52, 16, 104, 36, "plain" if name in ("application", "botocore") else "ours", [name])
            picture.line((x, 52), (x, 434), kind="line dashed")
    application, botocore, service, handset = columns.values()

    def step(y: float, start: float, end: float, label: str) -> None:
        picture.text((start + end) / 2, y - 8, label, "small", "middle")
        picture.arrow((start, y), (end, y))

    def do(y: float, what: str) -> None:
        if delivers:
            step(y, service, handset, what)
        else:
            picture.box(service - 6, y - 22, 12, 28, "ours")
            picture.text(service + 16, y - 4, what, "small")

    step(88, application, botocore, call)
    step(124, botocore, service, "attempt 1")
    do(160, work[0])
    picture.text((botocore + service) / 2, 190, "answer lost", "small", "middle")
    picture.line((service, 200), ((botocore + service) / 2 + 6, 200))
    picture.cross((botocore + service) / 2, 200)
    step(248, botocore, service, "attempt 2")
    do(284, work[1])
    step(328, service, botocore, back[0])
    step(364, botocore, application, back[1])
    picture.box(16, 388, 428, 38, "bad", [end])
    return picture


def processes() -> Picture:
    """Draw the fake among processes."""
    picture = Picture(
        "All threads of the test's process reach its fake; a forked child has a copy; others reach it by the server",
        394,
    )
    picture.box(16, 16, 428, 214, "ground")
    picture.text(32, 42, "The test's process", "strong")
    picture.box(32, 58, 170, 66, "plain", ["The application", "threads, tasks, clients"])
    picture.box(274, 58, 154, 66, "ours", ["The fake", "`pinpoint_otp"])
    picture.arrow((202, 91), (274, 91))
    picture.text(238, 82, "calls", "small", "middle")
    picture.box(274, 160, 154, 54, "ours", ["Server", "on loopback"])
    picture.arrow((351, 160), (351, 124))
    picture.text(32, 152, "with nothing to set up", "small")
    picture.box(16, 282, 120, 96, "plain", ["Forked child", "has a copy", "of the fake"])
    picture.box(152, 282, 136, 96, "plain", ["Spawned child", "no fake: enters one", "or uses the server"])
    picture.box(304, 282, 140, 96, "plain", ["Other program", "uvicorn, Node,", "AWS CLI, Lambda"])
    picture.arrow((76, 230), (76, 282))
    picture.text(86, 262, "fork", "small")
    picture.arrow((351, 282), (351, 214))
    picture.text(341, 262, "HTTP", "small", "end")
    return picture


LINE = re.compile(
    r"^\| What a test with .* pays for (?P<what>[^|,]+?) \|[^|]*\| (?P<figure>[\d.e+]+) us \|$", re.MULTILINE
)


def figures() -> list[tuple[str, float]]:
    """Return what the table of docs/benchmarks.md says that a test pays, in milliseconds, the cheapest first.

    Raises:
        LookupError: the table has fewer than two such lines.
    """
    table = (HERE.parent / "benchmarks.md").read_text(encoding="utf-8")
    found = [(line["what"].strip("`"), float(line["figure"]) / 1000) for line in LINE.finditer(table)]
    if len(found) < 2:
        raise LookupError("docs/benchmarks.md has no lines that begin with 'What a test with one send pays for'.")
    return sorted(found, key=lambda line: line[1])


def chart() -> Picture:
    """Draw what a test pays, each step of the scale ten times the one before."""
    lines = figures()
    height = 120 + 44 * len(lines)
    said = ", ".join(f"{what} {milliseconds:.3g} ms" for what, milliseconds in lines)
    picture = Picture(f"What a test pays: {said}", height)
    picture.text(20, 34, "What a test pays for one call, above an empty test", "strong")
    first, last = math.floor(math.log10(lines[0][1])), math.ceil(math.log10(lines[-1][1]))
    left, right = 136, 424

    def place(milliseconds: float) -> float:
        return left + (math.log10(milliseconds) - first) / (last - first) * (right - left)

    bottom = 60 + 44 * len(lines)
    for power in range(first, last + 1):
        x = place(10.0**power)
        picture.line((x, 54), (x, bottom), kind="line faint")
        picture.text(x, bottom + 20, f"{10.0**power:g}", "small", "middle")
    picture.text(20, bottom + 44, "milliseconds; each step of the scale is ten times the last", "small")
    for number, (what, milliseconds) in enumerate(lines):
        y = 80 + 44 * number
        ours = what == "pinpoint_otp"
        x = place(milliseconds)
        picture.text(20, y + 5, "this plugin" if ours else what.removeprefix("a "), "strong" if ours else "")
        picture.line((left, y), (x, y))
        picture.dot(x, y, "ours" if ours else "plain", 7)
        over = x > right - 60
        picture.text(
            x - 14 if over else x + 14,
            y - 9 if over else y + 5,
            f"{milliseconds:.2g} ms" if milliseconds < 100 else f"{milliseconds:.0f} ms",
            "strong" if ours else "",
            "end" if over else "start",
        )
    return picture


PICTURES = {
    "what-a-test-pays": chart,
    "call": call,
    "life-of-a-code": code,
    "who-answers": answers,
    "two-clocks": clocks,
    "lost-answer": lost_answer,
    "lost-verification": lost_verification,
    "processes": processes,
}


def main() -> None:
    """Write every picture."""
    for name, draw in PICTURES.items():
        (HERE / f"{name}.svg").write_text(str(draw()), encoding="utf-8")


if __name__ == "__main__":
    main()
