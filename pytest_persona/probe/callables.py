"""A product as a callable of the user's: plain or async, a text or messages in, a text or messages out."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import math
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from pytest_persona.errors import TargetError
from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import TargetInfo
from pytest_persona.net.faults import Fault, Permanent, Transient
from pytest_persona.net.limits import within
from pytest_persona.net.statuses import scrubbed
from pytest_persona.probe.base import Answer, Hung
from pytest_persona.probe.messages import as_messages, as_text, reply_text, since_reply

__all__ = ["CallableTarget"]

_TAKES_MESSAGES = frozenset(("messages", "dialogue", "dialog", "conversation", "history", "chat", "turns"))
"""Names of a parameter without annotation that stand for a list."""


class CallableTarget:
    """A function, an object with ``__call__``, or something that begins each dialogue anew: a class, or an object with ``open()``.

    What is opened is called with each turn of its dialogue; its ``close()`` is called if it has one. Plain functions are called by
    one thread at a time, unless they say how many they bear: ``reply.persona_concurrency = 8``.
    """

    timeout = math.inf

    def __init__(self, product: Any, info: TargetInfo) -> None:
        self.info = info
        self._open: Callable[[], Any] | None = None
        if inspect.isclass(product):
            self._open = product
        elif callable(getattr(product, "open", None)):
            self._open = product.open
        elif not callable(product):
            raise TargetError(
                f"the target {info.name} is of type {type(product).__name__}, which cannot be called. "
                "Give a function, an object that can be called, or one with open()."
            )
        self.keeps_state = self._open is not None
        self._product = product
        self.at_once = _bears(product, product if inspect.isclass(product) else self._open or product)

    async def open(self, timeout: float) -> _Called:
        """See :class:`pytest_persona.probe.base.Target`."""
        if self._open is None:
            return _Called(self._product, remembers=False)
        product = await _called(self._open, (), timeout, "its dialogue could not be opened: it")
        if not callable(product):
            raise Permanent(f"it opened {type(product).__name__}, which cannot be called", fatal=True)
        return _Called(product, remembers=True)

    async def close(self) -> None:
        """There is nothing to release."""


class _Called:
    """One dialogue; see :class:`pytest_persona.probe.base.Session`."""

    def __init__(self, product: Callable[[Any], Any], *, remembers: bool) -> None:
        self._product = product
        self._remembers = remembers
        self._takes_text = _takes_text(product)
        self._replies = 0

    async def reply(self, turns: Sequence[Turn], timeout: float) -> Answer:
        """Call it once. A plain function that hangs cannot be stopped: its thread is left behind, and it is not asked again."""
        heard = since_reply(turns, self._replies) if self._remembers else turns
        asked: Any = as_text(heard) if self._takes_text else as_messages(turns)
        text = reply_text(await _called(self._product, (asked,), timeout, "it"))
        self._replies += 1
        return Answer(text=text)

    async def close(self) -> None:
        """Let what was opened close."""
        close = getattr(self._product, "close", None) if self._remembers else None
        if callable(close):
            done = close()
            if inspect.isawaitable(done):
                await done


def _bears(product: Any, call: Any) -> int | None:
    """How many dialogues at once: as the product says, else one where ``call`` is plain and any number where it is async."""
    said = getattr(product, "persona_concurrency", None)
    if isinstance(said, int) and said > 0:
        return said
    return None if _is_async(call) else 1


def _is_async(call: Any) -> bool:
    """Whether a function, an object that can be called, or the objects of a class answer with something to await."""
    inner = call.__call__ if callable(call) else None
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(inner)


def _takes_text(product: Callable[..., Any]) -> bool:
    """Whether the first parameter is a text: by its annotation, else by its name."""
    try:
        parameters = list(inspect.signature(product, eval_str=True).parameters.values())
    except (NameError, TypeError, ValueError, SyntaxError, AttributeError):
        try:
            parameters = list(inspect.signature(product).parameters.values())
        except (TypeError, ValueError):  # of a function in C, say
            return True
    if not parameters:
        return True
    annotation = parameters[0].annotation
    if annotation is inspect.Parameter.empty:
        return parameters[0].name not in _TAKES_MESSAGES
    return annotation is str or annotation in ("str", "'str'", '"str"')


async def _called(call: Callable[..., Any], arguments: tuple[Any, ...], timeout: float, who: str) -> Any:
    """What a call brings, awaited if need be; raises Fault in words that begin with ``who``."""
    plain = not _is_async(call)
    value: Any = None
    raised: Exception | None = None  # kept apart: it may be a time-out of the product's own
    try:
        with within(timeout):
            try:
                value = await _in_thread(call, arguments) if plain else call(*arguments)
                if inspect.isawaitable(value):
                    plain = False
                    value = await value
            except Exception as error:
                raised = error
    except asyncio.TimeoutError:
        late = f"no reply within {timeout:.3g} s"
        raise (Hung(late, fatal=False) if plain else Transient(late)) from None
    if raised is not None:
        raise _fault(raised, who) from None
    return value


async def _in_thread(call: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """What a plain function returns, called in a thread of its own; a daemon, so that one that hangs keeps no run from ending."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Any] = loop.create_future()
    context = contextvars.copy_context()

    def tell(value: Any, error: BaseException | None) -> None:
        if done.done():
            return
        if error is None:
            done.set_result(value)
        else:
            done.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))

    def run() -> None:
        value: Any = None
        failed: BaseException | None = None
        try:
            value = context.run(call, *arguments)
        except StopIteration as error:  # which no future takes
            failed = RuntimeError(f"StopIteration: {error}")
        except BaseException as error:
            failed = error
        with suppress(RuntimeError):  # of a loop that is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, value, failed)

    threading.Thread(target=run, name="pytest-persona target", daemon=True).start()
    return await done


def _fault(error: Exception, who: str) -> Fault:
    """What an exception of the product's means: lost connections and time-outs may go away, others will not."""
    if isinstance(error, Fault):
        return error
    said = f"{who} raised {type(error).__name__}: {scrubbed(str(error))}".rstrip(": ")
    if isinstance(error, (asyncio.TimeoutError, TimeoutError, ConnectionError)):
        return Transient(said)
    return Permanent(said, fatal=False)
