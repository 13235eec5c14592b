"""Who may talk to the server: the rules on Host and Origin, which keep the web pages of other sites out."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

_HOST: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_OWN_SUFFIXES: Final = (".localhost", ".internal")
"""Names that nobody on the internet can have."""


def find_refusal(headers: Mapping[str, str], target: str, allowed_hosts: Collection[str]) -> str | None:
    """Say why a request is not answered; None: it is.

    A page of another site can make a browser send requests here. Its Origin gives it away or, if its name has been
    made to point to this machine (DNS rebinding), its Host.

    Args:
        headers: the request's headers.
        target: the request's target, which in absolute form names a host as well.
        allowed_hosts: names that are accepted besides those that cannot be a public site's.
    """
    host = headers.get("host", "")
    for named in (host, *_in_absolute_form(target)):
        if not _is_own(named, allowed_hosts):
            return (
                f"The host {named!r} is not served: a request names an IP address, a name without a dot, a name under"
                " .localhost or .internal, or one of allowed_hosts (the command's --allow-host)."
            )
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        return f"The origin {origin!r} is not served: only pages of this server itself, http://{host}, may call it."
    return None


def normalised(host: str) -> str:
    """Return a host's name in the form in which names are compared: lower case, without a dot at the end."""
    return host.lower().removesuffix(".")


def _in_absolute_form(target: str) -> list[str]:
    if target.startswith("/"):
        return []
    try:
        return [urlsplit(target).netloc]
    except ValueError:
        return [target]


def _is_own(host: str, allowed_hosts: Collection[str]) -> bool:
    match = _HOST.fullmatch(host)
    if match is None:
        return False
    name = normalised(match[1])
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return "[" not in name and ("." not in name or name.endswith(_OWN_SUFFIXES) or name in allowed_hosts)
    return True
