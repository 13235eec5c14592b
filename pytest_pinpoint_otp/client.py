"""The boto3 client of the fixture `pinpoint_otp_client`, made without reading anybody's AWS configuration."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient

_REGION = "us-east-1"


def make_client() -> BaseClient:
    """Return a new ``pinpoint`` client, unsigned and with a constant user agent."""
    import botocore
    from botocore.config import Config

    # Computing the user agent is the largest share of a faked call.
    config = Config(signature_version=botocore.UNSIGNED, user_agent="pytest-pinpoint-otp")
    return cast("BaseClient", _session().client("pinpoint", region_name=_REGION, config=config))


@cache
def _session() -> boto3.Session:
    """Return a session that sees neither the environment nor configuration files; it keeps the parsed service model."""
    import boto3
    import botocore.session

    nowhere = dict.fromkeys(("profile", "region"), (None, None, None, None))
    files = dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    return boto3.Session(botocore_session=botocore.session.Session(session_vars={**nowhere, **files}))
