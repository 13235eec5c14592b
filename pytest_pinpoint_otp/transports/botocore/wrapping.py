"""Methods of other packages' classes, and what takes their place for as long as anybody holds it."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from http.client import HTTPMessage
from types import FunctionType
from typing import Any, Final, NamedTuple
from weakref import WeakSet, ref

from pytest_pinpoint_otp.engine.lock import lock

# pytest shows a mistake at the test's own line, not in here.
__tracebackhide__ = True

_MARK: Final = "__pinpoint_otp__"


class Target(NamedTuple):
    """A method that is wrapped once its module is imported."""

    module: str
    owner: str
    name: str
    wrap: Callable[[Callable[..., Any]], Callable[..., Any]]
    """Takes what the class had, to be called with the instance first, and returns what takes its place."""


_holders: set[object] = set()
"""Who keeps the methods wrapped, calls under way apart: fakes, and the plugin."""
calls_under_way: Final[list[None]] = []
"""As many as calls keep them wrapped, so that their later attempts are met after the last fake has left. Each call adds
one when it begins, and ends by `end_call`. A list, because threads add to it without a lock."""

_targets: tuple[Target, ...] = ()
_found: tuple[list[Any], list[list[ref[type]]]] | None = None
"""What the targets' modules had by the owners' names when the wrappings below were found, None for nothing, and the
classes by which copies of the modules are told. None: look again."""
_wrappings: tuple[_Wrapping, ...] = ()
_known: Final[WeakSet[type]] = WeakSet()
"""The classes of which `notice_imports` was told, and whose like is wrapped."""
_awaited: frozenset[str] = frozenset()
"""The modules of targets that are not imported yet, or only in part."""


def hold(targets: tuple[Target, ...]) -> Callable[[], None]:
    """Wrap methods for as long as anybody holds them; the targets are always the same.

    Returns:
        what releases them; a second call of that changes nothing.
    """
    holder = object()

    def release() -> None:
        with lock:
            if holder in _holders:
                _holders.remove(holder)
                _take_off_after_last()

    with lock:
        _holders.add(holder)
        try:
            _put_on(targets)
        except BaseException:
            # Nobody else could.
            release()
            raise
    return release


def is_held() -> bool:
    """Tell whether anybody but a call under way holds the methods."""
    return bool(_holders)


def end_call() -> None:
    """Let go for a call."""
    calls_under_way.pop()
    if not _holders:
        with lock:
            _take_off_after_last()


def notice_imports(cls: type | None = None) -> None:
    """Wrap what was imported since, if anything was.

    Args:
        cls: a class that is in use. It tells of imports that are not among the modules any more, which is how those
            inside of ``patch.dict(sys.modules)`` end.
    """
    global _found
    unknown = cls is not None and cls not in _known
    if not (is_held() and (unknown or not sys.modules.keys().isdisjoint(_awaited))):
        return
    with lock:
        if not is_held():
            # The last holder has let go meanwhile: what is put on now, nobody would take off.
            return
        if unknown:
            _found = None
        _put_on(_targets)
        # Afterwards: other threads look here without the lock.
        if cls is not None:
            _known.add(cls)


def _put_on(targets: tuple[Target, ...]) -> None:
    """Wrap what is not wrapped: what was imported since, and what somebody has put back. Needs the lock, and a hold."""
    global _targets, _found
    _targets = targets
    # Not the modules, which are the same ones after importlib.reload.
    owners = [getattr(sys.modules.get(target.module), target.owner, None) for target in targets]
    # A whole copy of botocore derives a class from HTTPMessage, and one of aiobotocore derives some from botocore's.
    bases: list[Any] = [HTTPMessage, *owners]
    # Tests derive classes too, which end with them.
    derived = [[*map(ref, type.__subclasses__(one))] for one in bases if issubclass(type(one), type)]
    if (found := (owners, derived)) != _found:
        before = _wrappings
        _find(owners)
        _found = found
        # Not all before the search: a call that came meanwhile would meet none of them.
        for wrapping in before:
            if wrapping not in _wrappings:
                wrapping.take_off()
    for wrapping in _wrappings:
        wrapping.put_on()


def _find(owners: list[Any]) -> None:
    """Find the methods that there are; other modules may bring more, and pytester replaces them."""
    global _wrappings, _awaited
    copies = _find_copies({f"{target.module}.{target.owner}" for target in _targets})
    found, awaited = [], set()
    for target, owner in zip(_targets, owners, strict=True):
        if owner is None:
            awaited.add(target.module)
        for one in dict.fromkeys([owner, *copies.get(f"{target.module}.{target.owner}", ())]):
            # A test may have put a mock in the place of the class, which even isinstance may take for one.
            if issubclass(type(one), type) and target.name in vars(one):
                found.append(_wrapping(one, target.name, target.wrap))
    _wrappings, _awaited = tuple(found), frozenset(awaited)


def _find_copies(wanted: set[str]) -> dict[str, list[type]]:
    """Return the classes of these names that there are in the process, be they several of one name.

    Not by way of the modules: what is first imported inside of ``patch.dict(sys.modules)`` is gone from there after
    it. The application goes on to use it, beside the copy that is imported next.
    """
    copies: dict[str, list[type]] = {}
    packages = {name.partition(".")[0] for name in wanted}
    waiting: list[type] = [object]
    while waiting:
        subclasses: list[type] = type.__subclasses__(waiting.pop())
        for cls in subclasses:
            # Their own bases are of the same packages. To go through all classes would take several times as long.
            if str(cls.__module__).partition(".")[0] in packages:
                waiting.append(cls)
                if (name := f"{cls.__module__}.{cls.__name__}") in wanted:
                    copies.setdefault(name, []).append(cls)
    return copies


def _take_off_after_last() -> None:
    if not _holders and not calls_under_way:
        _take_off()


def _take_off() -> None:
    for wrapping in reversed(_wrappings):
        wrapping.take_off()


class _Mark(NamedTuple):
    """What a function of ours has as an attribute. Whoever wraps it in the usual ways hands the mark on."""

    wrapping: _Wrapping
    function: Any
    """The function itself, by which it is told from those that handed the mark on."""
    original: Any
    """In whose place it is."""


class _Wrapping:
    """What is wrapped of one class: put on and taken off as often as needed."""

    __slots__ = ("_attributes", "_name", "_original", "_owner", "_replacement", "_wrap")

    def __init__(self, owner: type, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        self._owner = owner
        self._attributes = vars(owner)
        self._name = name
        self._wrap = wrap
        self._original: Any = None
        self._replacement: Any = None

    def put_on(self) -> None:
        """Take the method's place, unless what is there calls us already."""
        found = self._attributes[self._name]
        # The original is found also where somebody has put back what they had found before us.
        if found is not self._original:
            if self._mark_of(found) is not None:
                return
            self._original = found
            self._replacement = functools.wraps(found)(self._wrap(_bound(found)))
            setattr(self._replacement, _MARK, _Mark(self, self._replacement, found))
        setattr(self._owner, self._name, self._replacement)

    def take_off(self) -> None:
        """Put the original back, unless somebody else has wrapped the method since, and would lose that."""
        found = self._attributes[self._name]
        if found is self._replacement:
            setattr(self._owner, self._name, self._original)
        elif (mark := self._mark_of(found)) is not None and mark.function is found:
            # Ours of an earlier time, which the end of somebody's patch has put back.
            setattr(self._owner, self._name, mark.original)

    def _mark_of(self, found: Any) -> _Mark | None:
        mark = getattr(found, _MARK, None)
        return mark if isinstance(mark, _Mark) and mark.wrapping is self else None


_wrapping: Final = functools.cache(_Wrapping)


def _bound(found: Any) -> Callable[..., Any]:
    """Return what calls an attribute of a class as one of its instances would: other packages put descriptors there."""
    bind = getattr(type(found), "__get__", None)
    if bind is None:
        return lambda instance, *args, **kwargs: found(*args, **kwargs)
    if isinstance(found, FunctionType):
        # Calling it does the same in less time.
        return found
    return lambda instance, *args, **kwargs: bind(found, instance, type(instance))(*args, **kwargs)
