"""Replaces methods of other packages' classes for as long as anything holds them wrapped."""

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
    """Takes the method that the class had, whose first argument is the instance, and returns the one to put there."""


_holders: set[object] = set()
"""The holds that keep the methods wrapped, besides calls under way: those of fakes and of the plugin."""
calls_under_way: Final[list[None]] = []
"""One entry for each call under way, which keeps the methods wrapped too: its later attempts must be met even after the
last fake has left. A call adds its entry when it begins, and ends with `end_call`. A list, because threads add to it
without a lock."""

_targets: tuple[Target, ...] = ()
_places: tuple[tuple[str, str], ...] = ()
"""Where the targets' owners are, by module and name, each once."""
_found: tuple[list[Any], list[ref[type]]] | None = None
"""What the search for the wrappings below was made from: the owners in the targets' modules (None: not imported), and
the subclasses that show whether there are copies of those modules. None: search again."""
_wrappings: tuple[_Wrapping, ...] = ()
_known: Final[WeakSet[type]] = WeakSet()
"""The classes that `notice_imports` was given, and whose modules' methods are wrapped."""
_awaited: frozenset[str] = frozenset()
"""The targets' modules that are not imported yet, or only in part."""


def hold(targets: tuple[Target, ...]) -> Callable[[], None]:
    """Wrap methods until the returned function is called; the targets are always the same.

    Returns:
        a function that releases this hold; a second call changes nothing.
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
            # The caller has nothing to release it with.
            release()
            raise
    return release


def is_held() -> bool:
    """Tell whether anything but a call under way holds the methods."""
    return bool(_holders)


def end_call() -> None:
    """End the hold of a call."""
    calls_under_way.pop()
    if not _holders:
        with lock:
            _take_off_after_last()


def notice_imports(cls: type | None = None) -> None:
    """Wrap what has been imported since the last look, if anything has.

    Args:
        cls: a class that is in use. It reveals modules that are no longer in ``sys.modules``, such as those that were
            imported inside of ``patch.dict(sys.modules)``.
    """
    global _found
    unknown = cls is not None and cls not in _known
    if not (is_held() and (unknown or not sys.modules.keys().isdisjoint(_awaited))):
        return
    with lock:
        if not is_held():
            # The last hold has ended meanwhile: what was put on now would never be taken off.
            return
        if unknown:
            _found = None
        _put_on(_targets)
        # Last: other threads read this without the lock.
        if cls is not None:
            _known.add(cls)


def look_again() -> None:
    """Wrap what was imported, reloaded or put back since. Needs a hold."""
    with lock:
        _put_on(_targets)


def _put_on(targets: tuple[Target, ...]) -> None:
    """Wrap what is not wrapped: newly imported methods, and those that other code has put back. Needs lock and hold."""
    global _targets, _places, _found
    if targets is not _targets:
        _targets, _places = targets, tuple(dict.fromkeys((target.module, target.owner) for target in targets))
    # The classes, not the modules: those stay the same after importlib.reload.
    owners = [getattr(sys.modules.get(module), name, None) for module, name in _places]
    # A copy of botocore derives a class from HTTPMessage, and a copy of aiobotocore derives classes from botocore's.
    bases: list[Any] = [HTTPMessage, *owners]
    # By weak references, because tests derive classes too, which must end with them.
    derived = [ref(cls) for one in bases if issubclass(type(one), type) for cls in type.__subclasses__(one)]
    if (found := (owners, derived)) != _found:
        before = _wrappings
        _find(owners)
        _found = found
        # After the search: a call that comes during it must still be met.
        for wrapping in before:
            if wrapping not in _wrappings:
                wrapping.take_off()
    for wrapping in _wrappings:
        wrapping.put_on()


def _find(owners: list[Any]) -> None:
    """Find the methods that exist now. Later imports may add more, and pytester replaces modules."""
    global _wrappings, _awaited
    copies = _find_copies({f"{module}.{name}" for module, name in _places})
    here = dict(zip(_places, owners, strict=True))
    found = []
    for target in _targets:
        owner = here[target.module, target.owner]
        for one in dict.fromkeys([owner, *copies.get(f"{target.module}.{target.owner}", ())]):
            # A test may have put a mock there instead of the class, and a mock with a spec passes isinstance.
            if issubclass(type(one), type) and target.name in vars(one):
                found.append(_wrapping(one, target.name, target.wrap))
    _wrappings = tuple(found)
    _awaited = frozenset(module for (module, _), owner in here.items() if owner is None)


def _find_copies(wanted: set[str]) -> dict[str, list[type]]:
    """Return all classes of the process that have one of these names, by name; there may be several of one name.

    Not from the modules: what is first imported inside of ``patch.dict(sys.modules)`` is no longer there afterwards.
    The application goes on using it, along with the copy that is imported next.
    """
    copies: dict[str, list[type]] = {}
    packages = {name.partition(".")[0] for name in wanted}
    waiting: list[type] = [object]
    while waiting:
        subclasses: list[type] = type.__subclasses__(waiting.pop())
        for cls in subclasses:
            # The wanted classes' bases are in the same packages. Going through all classes takes several times as long.
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
    """An attribute of a replacement. What wraps the replacement in the usual ways has the same attribute."""

    wrapping: _Wrapping
    function: Any
    """The replacement itself, which tells it from what wraps it."""
    original: Any
    """What it replaced."""


class _Wrapping:
    """The wrapping of one method of one class, which can be put on and taken off any number of times."""

    __slots__ = ("_attributes", "_name", "_original", "_owner", "_replacement", "_wrap")

    def __init__(self, owner: type, name: str, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        self._owner = owner
        self._attributes = vars(owner)
        self._name = name
        self._wrap = wrap
        self._original: Any = None
        self._replacement: Any = None

    def put_on(self) -> None:
        """Put the replacement there, unless what is there calls it already."""
        found = self._attributes[self._name]
        # It is the original also after other code has put back what it found there before us.
        if found is not self._original:
            if self._mark_of(found) is not None:
                return
            self._original = found
            self._replacement = functools.wraps(found)(self._wrap(_bound(found)))
            setattr(self._replacement, _MARK, _Mark(self, self._replacement, found))
        setattr(self._owner, self._name, self._replacement)

    def take_off(self) -> None:
        """Put the original back, unless other code has wrapped the method since: that must stay."""
        found = self._attributes[self._name]
        if found is self._replacement:
            setattr(self._owner, self._name, self._original)
        elif (mark := self._mark_of(found)) is not None and mark.function is found:
            # An earlier replacement, which came back when a patch of other code ended.
            setattr(self._owner, self._name, mark.original)

    def _mark_of(self, found: Any) -> _Mark | None:
        mark = getattr(found, _MARK, None)
        return mark if isinstance(mark, _Mark) and mark.wrapping is self else None


_wrapping: Final = functools.cache(_Wrapping)


def _bound(found: Any) -> Callable[..., Any]:
    """Return a function that calls an attribute of a class as its instances would: it may be any descriptor."""
    bind = getattr(type(found), "__get__", None)
    if bind is None:
        return lambda instance, *args, **kwargs: found(*args, **kwargs)
    if isinstance(found, FunctionType):
        # Calling it directly does the same, faster.
        return found
    return lambda instance, *args, **kwargs: bind(found, instance, type(instance))(*args, **kwargs)
