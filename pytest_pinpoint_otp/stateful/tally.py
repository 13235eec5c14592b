"""What all runs of a machine achieved together: a test in which nobody is ever let in proves nothing."""

from __future__ import annotations

from hypothesis.errors import HypothesisException


class Tally:
    """The tally of one machine's runs.

    It only ever grows, so a run that fails by it fails again when Hypothesis repeats it.
    """

    def __init__(self) -> None:
        self._runs = 0
        self._found = False
        self._texts, self._had_to_text = 0, 0
        self._entries, self._had_to_let_in = 0, 0

    def note_requested(self, texts: int, *, had_to: bool) -> None:
        """Note a request for a code.

        Args:
            texts: how many texts came of it.
            had_to: whether one had to come, since nothing has failed.
        """
        self._texts += texts
        self._had_to_text += had_to

    def note_typed(self, *, let_in: bool, had_to: bool) -> None:
        """Note a code that was typed, whether the user was let in, and whether the user had to be."""
        self._entries += let_in
        self._had_to_let_in += had_to

    def note_end(self, raised: BaseException | None) -> None:
        """Note the end of a run, and what it failed with."""
        if raised is None:
            self._runs += 1
        elif isinstance(raised, Exception) and not isinstance(raised, HypothesisException):
            # Enough has been found, and what follows are attempts to find it in fewer steps.
            self._found = True

    def complain(self, enough: int) -> str | None:
        """Return what was missing in all runs, once there were enough of them; None: nothing, or too few runs."""
        if self._found or self._runs < enough:
            return None
        if self._had_to_text and not self._texts:
            return f"in {enough} runs, no text reached a phone that asked for a code"
        if self._had_to_let_in and not self._entries:
            return f"in {enough} runs, nobody was let in, whose code was right or not"
        return None
