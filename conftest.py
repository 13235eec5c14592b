"""Fixtures for the tests of this repository, beside those of the plugin itself."""

pytest_plugins = ["pytester"]
