"""The application, before and after it has moved."""

import importlib

import pytest
from botocore.exceptions import UnknownServiceError


@pytest.fixture(params=["on_pinpoint", "on_end_user_messaging"])
def sign_in(request, pinpoint_otp):
    """The application's module."""
    try:
        return importlib.import_module(request.param)
    except UnknownServiceError:
        pytest.skip("this botocore has no endusermessaging")
