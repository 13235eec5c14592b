"""How Sphinx builds these pages."""

import importlib.metadata
import os
import re

project = "pytest-pinpoint-otp"
author = "the authors of pytest-pinpoint-otp"
release = version = importlib.metadata.version(project)

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.intersphinx"]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
# Headings and tables quote what pytest and botocore say, with the quotes that these use. The dashes are for the lists
# of parameters that Sphinx writes; a command with -- stands in code.
smartquotes_action = "D"
html_title = project
html_static_path = ["_static"]
html_css_files = ["pages.css"]
templates_path = ["_templates"]
html_show_copyright = False
# The footer names the repository where the build knows it: Read the Docs says where it has cloned from.
cloned_from = os.environ.get("READTHEDOCS_GIT_CLONE_URL", "")
html_context = {"repository": cloned_from.removesuffix(".git") if cloned_from.startswith("https://") else ""}

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
default_role = "py:obj"
# Names of pytest, botocore, Hypothesis and Python have no page here.
nitpick_ignore_regex = [
    ("py:.*", r"(pytest|datetime|os|botocore|collections|hypothesis|st)\..*|BaseClient|timedelta"),
    # The types of arguments: reference/api.md explains them.
    ("py:.*", r"(Message|Call)Fields|OperationName|OutcomeLike|Refused|(Issue|Configuration)Parameters|DurationParts"),
    ("py:.*", r"(.*\.)?OptionValues|Filter"),
    ("py:.*", r"pytest_pinpoint_otp\.apis\.frozen_json\..*"),
]
add_module_names = False


def _leave_out_aliases(app, what, name, obj, options, lines):
    # namedtuple documents each field by its number, which does not help a reader.
    if lines and lines[0].startswith("Alias for field number"):
        lines.clear()


def _make_contents_of_lists(app, docname, source):
    # The lists of links in index.md are the table of contents: on a code host a toctree is no link.
    if docname == "index":
        lists = re.findall(r"^## (.+)\n\n((?:- \[.+\]\(.+\.md\)\n)+)", source[0], re.MULTILINE)
        for caption, links in lists:
            pages = "\n".join(re.findall(r"\((.+)\.md\)", links))
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{pages}\n```\n"


def setup(app):
    app.connect("source-read", _make_contents_of_lists)
    app.connect("autodoc-process-docstring", _leave_out_aliases)
