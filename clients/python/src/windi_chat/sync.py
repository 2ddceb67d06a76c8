"""Brings the store from what it holds to what the server has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from .errors import ChatError
from .waiting import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from .store import Store
    from .wire import News, SyncRequest

GAP_S = 0.5
"""One call does for all that is missing by then."""


class Sync:
    """Syncs after each connect, and when something is missing. Nothing is polled."""

    def __init__(
        self,
        store: Store,
        ask: Callable[[SyncRequest], Awaitable[News]],
        on_synced: Callable[[], None],
        on_silence: Callable[[], None],
    ) -> None:
        self.is_ready = False
        """Whether all has come that was missed before the connection."""
        self._store = store
        self._ask = ask
        self._on_synced = on_synced
        self._on_silence = on_silence
        self._is_missing = False
        self._gap: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_synced(self) -> bool:
        """Whether what is held is what the server has, as far as is known."""
        return self.is_ready and not self._is_missing and (self._task is None or self._task.done())

    def start(self) -> None:
        """There is a new connection."""
        self.stop()
        self._task = asyncio.create_task(self._run())

    def stop(self) -> None:
        """The connection has ended."""
        self.is_ready = False
        if self._gap:
            self._gap.cancel()
            self._gap = None
        if self._task:
            self._task.cancel()
            self._task = None

    def missing(self) -> None:
        """Something is missing: syncs soon, or once more after the sync that is under way."""
        self._is_missing = True
        if self._gap is None:
            self._gap = asyncio.get_running_loop().call_later(GAP_S, self._fill)

    def _fill(self) -> None:
        self._gap = None
        if self._is_missing and self._task and self._task.done():
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        backoff = Backoff()
        is_first = True
        while is_first or self._is_missing:
            is_first = self._is_missing = False
            try:
                await self._store.catch_up(self._ask)
            except ChatError as error:
                if error.code == "no_answer":
                    self._on_silence()
                    return
                is_first = True
                await asyncio.sleep(backoff.next(error.retry_after))
        self.is_ready = True
        # The task is done when others look.
        asyncio.get_running_loop().call_soon(self._on_synced)
