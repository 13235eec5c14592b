"""What a package index shows as the README: its links lead to the repository, or name the page where it is not known.

The release says where the files of its commit are read, as PINPOINT_OTP_FILES: "https://host/owner/name/blob/commit".
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"\[(?P<text>[^\]]+)\]\((?!https?:|#)(?P<page>[^)\s]+)\)")


class ReadmeHook(MetadataHookInterface):
    """Gives the distributions their README."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the README to the metadata of the project."""
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        text = readme_for_index(readme, os.environ.get("PINPOINT_OTP_FILES", ""))
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def readme_for_index(readme: str, files: str) -> str:
    """Return the README for where its own files are not beside it.

    Args:
        readme: the README, with links relative to the root of the repository.
        files: the address of that root; empty where it is not known.
    """
    return LINK.sub(rf"[\g<text>]({files}/\g<page>)" if files else r"\g<text> (`\g<page>`)", readme)
