"""How Sphinx builds these pages."""

import importlib.metadata

project = "pytest-pinpoint-otp"
author = "the authors of pytest-pinpoint-otp"
release = version = importlib.metadata.version(project)

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.intersphinx"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = project

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
default_role = "py:obj"
# pytest's, botocore's, Hypothesis's and Python's own names, which have no page here.
nitpick_ignore_regex = [("py:.*", r"(pytest|datetime|botocore|collections|hypothesis)\..*|BaseClient|timedelta")]
add_module_names = False


def _leave_out_aliases(app, what, name, obj, options, lines):
    # What namedtuple says of each field: its number, which is of no use to a reader.
    if lines and lines[0].startswith("Alias for field number"):
        lines.clear()


def setup(app):
    app.connect("autodoc-process-docstring", _leave_out_aliases)
