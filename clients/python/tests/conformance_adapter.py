"""This package as a program that the conformance suite drives: see clients/conformance/README.md."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from aiohttp import web

from windi_chat import ChatError, Client, FileStorage, Message

Json = dict[str, Any]


class Adapter:
    """One client, over HTTP."""

    def __init__(self) -> None:
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        assert self._client, "not open"
        return self._client

    async def open(self, body: Json) -> None:
        self._client = Client(body["url"], storage=FileStorage(Path(body["storage_path"], "chat.db")))
        await self._client.open()

    async def login(self, body: Json) -> None:
        await self.client.login(body["email"], body["password"])

    async def send(self, body: Json) -> Json:
        reply_to = self.message({**body, "key": body["reply_to"]}) if "reply_to" in body else None
        return {"key": (await self.client.send(body["chat_id"], body["text"], reply_to=reply_to)).key}

    async def edit(self, body: Json) -> None:
        await self.client.edit(self.message(body), body["text"])

    async def remove(self, body: Json) -> None:
        await self.client.remove(self.message(body))

    async def read(self, body: Json) -> None:
        await self.client.read(self.message(body))

    async def retry(self, body: Json) -> None:
        await self.client.retry(self.message(body))

    async def drop(self, body: Json) -> None:
        await self.client.drop(self.message(body))

    async def state(self, after: int) -> Json:
        changes = self.client.changes
        try:
            async with asyncio.timeout(10):
                await changes.after(after)
        except TimeoutError:
            pass
        account, status = self.client.account, self.client.status
        return {
            "version": changes.version,
            "user_id": account["id"] if account else None,
            "is_connected": status.connection == "connected",
            "is_synced": status.is_synced,
            "chats": [
                {**chat, "messages": [show(message) for message in self.client.messages(chat["id"])]}
                for chat in self.client.chats
            ],
        }

    def message(self, body: Json) -> Message:
        messages = self.client.messages(body["chat_id"])
        return next(message for message in messages if message.key == body["key"])


def show(message: Message) -> Json:
    change = message.change
    return {
        "key": message.key,
        "id": message.id,
        "seq": message.seq,
        "sender_id": message.sender_id,
        "text": message.text,
        "status": message.status,
        "error": message.error,
        "reply_to_id": message.reply_to_id,
        "edited_at": message.edited_at,
        "deleted_at": message.deleted_at,
        "change": change and {"kind": change.kind, "status": change.status, "error": change.error},
    }


async def main() -> None:
    adapter = Adapter()

    async def do(request: web.Request) -> web.Response:
        command = getattr(adapter, request.match_info["command"])
        try:
            return web.json_response(await command(await request.json()) or {})
        except ChatError as error:
            return web.json_response({"code": error.code}, status=422)

    async def state(request: web.Request) -> web.Response:
        return web.json_response(await adapter.state(int(request.query.get("after", "-1"))))

    app = web.Application()
    app.add_routes([web.get("/state", state), web.post("/{command}", do)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


asyncio.run(main())
