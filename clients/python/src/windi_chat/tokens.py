"""The tokens of the session."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

from .errors import ChatError, signed_out
from .storage import KeptSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from . import wire
    from .rest import Rest
    from .storage import Storage

MARGIN_S = 10.0
"""A token that is good for less than this counts as expired: it must still be good when it arrives."""


class Tokens:
    """Keeps the tokens, and refreshes them.

    A refresh stores its `client_refresh_id` first. So a lost answer, or a program that ends before it has stored the
    answer, logs nobody out: the next refresh sends the same two and gets the same tokens.
    """

    def __init__(self, storage: Storage, rest: Rest, on_ended: Callable[[], None]) -> None:
        """`on_ended` is called when the server has ended the session."""
        self._storage = storage
        self._rest = rest
        self._on_ended = on_ended
        self._lock = asyncio.Lock()
        self.session: KeptSession | None = None

    def load(self) -> None:
        self.session = self._storage.load_session()

    def keep(self, session: KeptSession | None) -> None:
        self._storage.save_session(session)
        self.session = session

    @staticmethod
    def session_of(account: wire.Account, pair: wire.Tokens) -> KeptSession:
        """The session of a pair of tokens that has just come."""
        return KeptSession(account, pair["access_token"], time.time() + pair["expires_in"], pair["refresh_token"])

    @staticmethod
    def lifetime(session: KeptSession) -> float:
        """How long its access token is good for, in seconds, less the margin."""
        return session.expires_at - time.time() - MARGIN_S

    async def get(self) -> KeptSession:
        """The session with a good access token. Raises `signed_out`, `no_answer`, or the refusal of a refresh."""
        if self.session is None:
            raise signed_out()
        return self.session if self.lifetime(self.session) > 0 else await self.renew(self.session)

    async def renew(self, failed: KeptSession) -> KeptSession:
        """Other tokens than those of `failed`. Raises as `get` does."""
        async with self._lock:
            kept = self.session
            if kept is None:
                raise signed_out()
            # Two access tokens of one second are the same text, but no two refresh tokens are.
            if kept.refresh_token != failed.refresh_token and self.lifetime(kept) > 0:
                return kept
            if kept.client_refresh_id is None:
                kept = replace(kept, client_refresh_id=str(uuid4()))
                self.keep(kept)
            return await self._refresh(kept)

    async def _refresh(self, kept: KeptSession) -> KeptSession:
        body = {"refresh_token": kept.refresh_token, "client_refresh_id": kept.client_refresh_id}
        try:
            pair: wire.Tokens = await self._rest.call("POST", "/auth/refresh", body=body)
        except ChatError as error:
            if error.code != "unauthorized":
                raise
            self.keep(None)
            self._on_ended()
            raise signed_out() from error
        session = self.session_of(kept.account, pair)
        self.keep(session)
        return session
