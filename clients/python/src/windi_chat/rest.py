"""The REST API."""

from __future__ import annotations

from typing import Any

import httpx

from .errors import no_answer, problem

ANSWER_WITHIN_S = 15.0


class Rest:
    """Calls of the REST API of one server."""

    def __init__(self, url: str) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=ANSWER_WITHIN_S)

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        form: dict[str, str] | None = None,
        query: dict[str, str | int] | None = None,
    ) -> Any:
        """Returns the parsed answer. Raises a `ChatError` with the code of the refusal, or `no_answer`."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            answer = await self._http.request(method, path, headers=headers, json=body, data=form, params=query)
            # A part of an answer, or one of something that stands between, is none.
            parsed = answer.json() if answer.content else None
        except (httpx.HTTPError, ValueError) as error:
            raise no_answer() from error
        if answer.is_success:
            return parsed
        if not isinstance(parsed, dict) or "code" not in parsed:
            raise no_answer()
        raise problem(parsed, answer.headers.get("Retry-After"))  # type: ignore[arg-type]

    async def close(self) -> None:
        await self._http.aclose()
