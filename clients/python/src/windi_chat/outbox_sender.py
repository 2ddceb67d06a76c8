"""Sends what waits in the outbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .errors import ChatError, ConnectionCutError
from .waiting import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .outbox import Outbox
    from .storage import Entry

MOST_CUTS = 5
"""After so many tries in a row that cut the connection, a command is given up."""


@dataclass
class Pause:
    """The pause of a chat between two tries."""

    backoff: Backoff = field(default_factory=Backoff)
    timer: asyncio.TimerHandle | None = None
    is_asked: bool = False
    """The server has asked for it."""

    def end(self) -> None:
        if self.timer:
            self.timer.cancel()
            self.timer = None


class OutboxSender:
    """One command of a chat is under way at a time, so the order is kept; chats don't wait for each other.

    A command whose last try has cut the connection is tried alone, so that no other one is suspected.
    """

    def __init__(
        self, outbox: Outbox, attempt: Callable[[Entry], Awaitable[None]], is_ready: Callable[[], bool]
    ) -> None:
        """`attempt` tries a command once, and raises a `ChatError` when it isn't carried out."""
        self._outbox = outbox
        self._attempt = attempt
        self._is_ready = is_ready
        self._busy: dict[int, asyncio.Task[None]] = {}
        self._pauses: dict[int, Pause] = {}
        self._is_alone = False

    def drain(self) -> None:
        """Starts what can be started. Call it whenever something has changed."""
        if self._is_alone or not self._is_ready():
            return
        ready = self._next()
        for entry in ready:
            if entry.cuts == 0:
                self._start(entry)
        suspect = next((entry for entry in ready if entry.cuts > 0), None)
        if suspect and not self._busy:
            self._is_alone = True
            self._start(suspect)

    def resume(self) -> None:
        """There is a new connection: only pauses that the server has asked for go on."""
        for pause in self._pauses.values():
            if not pause.is_asked:
                pause.end()
        self.drain()

    async def close(self) -> None:
        tasks = list(self._busy.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for pause in self._pauses.values():
            pause.end()

    def _next(self) -> list[Entry]:
        """The first command of each chat in which none is under way and no pause is kept."""
        first: dict[int, Entry] = {}
        for entry in self._outbox.waiting():
            if not self._is_blocked(entry):
                first.setdefault(entry.chat_id, entry)
        return [entry for entry in first.values() if entry.chat_id not in self._busy and not self._pauses_in(entry)]

    def _pauses_in(self, entry: Entry) -> bool:
        pause = self._pauses.get(entry.chat_id)
        return pause is not None and pause.timer is not None

    def _is_blocked(self, entry: Entry) -> bool:
        """A change of a message that has failed waits until that is tried again or dropped."""
        if entry.kind not in ("edit", "delete"):
            return False
        send = self._outbox.send_of(entry.chat_id, entry.key)
        return send is not None and send.error is not None

    def _start(self, entry: Entry) -> None:
        self._busy[entry.chat_id] = asyncio.create_task(self._run(entry))

    async def _run(self, entry: Entry) -> None:
        self._outbox.tried(entry)
        error: ChatError | None = None
        try:
            await self._attempt(entry)
        except ChatError as failure:
            error = failure
        finally:
            del self._busy[entry.chat_id]
            self._is_alone = False
        self._settle(entry, error)
        self.drain()

    def _settle(self, entry: Entry, error: ChatError | None) -> None:
        if isinstance(error, ConnectionCutError):
            self._cut(entry)
            return
        # A token that has run out is being renewed.
        if error and (error.retryable or error.code in ("token_expired", "unauthorized")):
            self._later(entry, error.retry_after)
            return
        if entry.chat_id in self._pauses:
            self._pauses[entry.chat_id].backoff.reset()
        if error:
            self._fail(entry, error.code)

    def _cut(self, entry: Entry) -> None:
        if entry.cuts + 1 < MOST_CUTS:
            self._outbox.update(entry, cuts=entry.cuts + 1)
        else:
            self._fail(entry, "connection_cut")

    def _fail(self, entry: Entry, code: str) -> None:
        """A read that is refused is forgotten: a newer one comes."""
        if entry.kind == "read":
            self._outbox.done(entry)
        else:
            self._outbox.update(entry, error=code)

    def _later(self, entry: Entry, retry_after: float | None) -> None:
        pause = self._pauses.setdefault(entry.chat_id, Pause())
        pause.end()
        pause.is_asked = retry_after is not None
        pause.timer = asyncio.get_running_loop().call_later(pause.backoff.next(retry_after), lambda: self._over(pause))
        # It was answered, so it isn't what cuts the connection.
        if entry.cuts > 0 and pause.is_asked:
            self._outbox.update(entry, cuts=0)

    def _over(self, pause: Pause) -> None:
        pause.end()
        self.drain()
