"""moto answers DynamoDB, the plugin answers OTP: for every test, with an empty table."""

import os

import boto3
import pytest

# Imported before the application, so that moto reaches clients that are made when the application is imported.
from moto import mock_aws


def pytest_configure():
    # DynamoDB's requests are signed for moto as well; OTP needs no keys.
    os.environ.update(AWS_ACCESS_KEY_ID="testing", AWS_SECRET_ACCESS_KEY="testing")


@pytest.fixture(autouse=True)
def table():
    """The table of challenges, empty."""
    with mock_aws():
        yield boto3.resource("dynamodb", region_name="us-east-1").create_table(
            TableName="challenges",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )
