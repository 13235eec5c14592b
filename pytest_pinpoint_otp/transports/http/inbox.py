"""The page that shows every text with its code, kept current by long polling."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pytest_pinpoint_otp.transports.http.answers import write
from pytest_pinpoint_otp.transports.http.connection import Answer

_FOLDER: Final = Path(__file__).with_name("page")
_PROTECTED: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
}


def _read(name: str, content_type: str) -> Answer:
    return write(200, f"{content_type}; charset=utf-8", (_FOLDER / name).read_bytes(), _PROTECTED)


FILES: Final[Mapping[str, Answer]] = {
    "/": _read("inbox.html", "text/html"),
    "/_otp/inbox.css": _read("inbox.css", "text/css"),
    "/_otp/inbox.js": _read("inbox.js", "text/javascript"),
    # Browsers ask for it by themselves.
    "/favicon.ico": write(404, "text/plain", b""),
}
"""By path."""
