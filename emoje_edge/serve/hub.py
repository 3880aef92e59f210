"""Messages from the recognisers to the pages that are open: rows for everyone, poses for whoever keeps up."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

KEPT = 2000  # rows that a page which comes later can still get
PASSING = {"pose": 8, "open": 8}  # that wait for one listener at most; a slower one sees newer ones only
ROWS = 500  # that wait for one listener at most; beyond it is cut off and comes back for them
LISTENERS = 8


@dataclass(frozen=True)
class Message:
    """One server-sent event.

    Attributes:
        kind: `row`, `gap`, `state` (of a source), `pose`, or `open`: a row of an utterance that is not over.
        data: JSON.
        number: rising, of what is kept; None for what nobody needs later.
    """

    kind: str
    data: str
    number: int | None = None

    def encode(self) -> bytes:
        """As it goes over the wire."""
        head = f"id: {self.number}\n" if self.number is not None else ""
        return f"{head}event: {self.kind}\ndata: {self.data}\n\n".encode()


class Listener:
    """One open page's queue.  Rows wait their turn; of poses only the newest do."""

    def __init__(self, waiting: list[Message]) -> None:
        self._there = threading.Condition()
        self._waiting = deque(waiting)
        self._closed = False

    def put(self, message: Message) -> None:
        """Add a message; an old pose makes room for a new one, and too many rows end the listener."""
        with self._there:
            self._waiting.append(message)
            alike = [m for m in self._waiting if m.kind == message.kind]
            if len(alike) > PASSING.get(message.kind, len(alike)):
                self._waiting.remove(alike[0])
            if len(self._waiting) > KEPT + ROWS + sum(PASSING.values()):
                self._closed = True
            self._there.notify()

    def take(self, timeout: float) -> Message | None:
        """The next message; None where none came in time.

        Raises:
            StopIteration: the listener is closed.
        """
        with self._there:
            self._there.wait_for(lambda: self._waiting or self._closed, timeout)
            if self._closed:
                raise StopIteration
            return self._waiting.popleft() if self._waiting else None

    def close(self) -> None:
        with self._there:
            self._closed = True
            self._there.notify()


class Hub:
    """Everything that pages are told.  Safe for use from several threads.

    Args:
        first: number before the first row; with one that rises from start to start (ms since 1970) a page that was
            there before asks for nothing twice and misses nothing.
    """

    def __init__(self, first: int = 0) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Message] = deque(maxlen=KEPT)
        self._states: dict[str, Message] = {}
        self._listeners: set[Listener] = set()
        self._number = first

    def row(self, kind: str, value: Mapping[str, Any]) -> None:
        """A row or a gap: kept, numbered, and told to everyone."""
        with self._lock:
            self._number += 1
            message = Message(kind, _json(value), self._number)
            self._kept.append(message)
            self._tell(message)

    def passing(self, kind: str, value: Mapping[str, Any]) -> None:
        """Where the joints are now, or what an open utterance looks like: told to whoever keeps up, and forgotten."""
        with self._lock:
            if self._listeners:
                self._tell(Message(kind, _json(value)))

    def state(self, source: str, value: Mapping[str, Any]) -> None:
        """How a source does: the last word of each is told to whoever comes."""
        with self._lock:
            message = self._states[source] = Message("state", _json({"source": source, **value}))
            self._tell(message)

    def rows(self, after: int = 0) -> list[dict[str, Any]]:
        """Rows and gaps with a number above `after`, each with its `id` and `kind`."""
        with self._lock:
            return [{"id": m.number, "kind": m.kind, **json.loads(m.data)} for m in self._since(after)]

    def states(self) -> list[dict[str, Any]]:
        """The last word of each source."""
        with self._lock:
            return [json.loads(m.data) for m in self._states.values()]

    def listen(self, after: int = 0) -> Listener | None:
        """A new listener, given what it has missed since `after`; None where there are too many already."""
        with self._lock:
            if len(self._listeners) >= LISTENERS:
                return None
            listener = Listener([*self._states.values(), *self._since(after)])
            self._listeners.add(listener)
            return listener

    def leave(self, listener: Listener) -> None:
        with self._lock:
            self._listeners.discard(listener)

    def close(self) -> None:
        """Send all pages away."""
        with self._lock:
            for listener in self._listeners:
                listener.close()

    def _since(self, after: int) -> list[Message]:
        return [m for m in self._kept if m.number is not None and m.number > after]

    def _tell(self, message: Message) -> None:
        for listener in self._listeners:
            listener.put(message)


def follow(listener: Listener, patience: float) -> Iterator[Message | None]:
    """Messages as they come; None after `patience` seconds without any."""
    while True:
        try:
            yield listener.take(patience)
        except StopIteration:
            return


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
