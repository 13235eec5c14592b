"""The boto3 client of the fixture `pinpoint_otp_client`, made without reading anybody's AWS configuration."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from pytest_pinpoint_otp.apis.pinpoint import Pinpoint

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient

_REGION = "us-east-1"


def make_client() -> BaseClient:
    """Return a new ``pinpoint`` client, unsigned and with a constant user agent."""
    import botocore
    from botocore.config import Config

    # Computing the user agent was the largest share of a faked call before botocore 1.44.6.
    config = Config(signature_version=botocore.UNSIGNED, user_agent="pytest-pinpoint-otp")
    # Any, because the stubs of boto3 know services by literals alone.
    session: Any = unconfigured_session()
    client = session.client(Pinpoint.name, region_name=_REGION, config=config)
    # Nothing is sent, so its endpoint need not be resolved for each request; and nothing is signed, so its signer need
    # not be called.
    client._ruleset_resolver = None
    client.meta.events.unregister(f"request-created.{Pinpoint.name}", client._request_signer.handler)
    return cast("BaseClient", client)


@cache
def unconfigured_session() -> boto3.Session:
    """Return a session that sees neither the environment nor configuration files; it keeps the parsed service model."""
    import boto3
    import botocore.session

    # Each variable has its name in a file, its name in the environment, a default, and a conversion.
    defaults = {
        name: (None, None, default, convert)
        for name, (_, _, default, convert) in botocore.session.Session.SESSION_VARIABLES.items()
    }
    own = {
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
        "ignore_configured_endpoint_urls": (None, None, True, None),
    }
    return boto3.Session(botocore_session=botocore.session.Session(session_vars={**defaults, **own}))
