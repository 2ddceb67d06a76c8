"""What the conformance suite doesn't ask: events, refusals, and what a storage holds."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from typing import TYPE_CHECKING, Any

import pytest

from windi_chat import ChatError, Client, FileStorage, MemoryStorage, store

from .conftest import PASSWORD, Person, Server

if TYPE_CHECKING:
    from pathlib import Path

    from windi_chat import Event, Events

TIMEOUT_S = 60


async def next_of(events: Events, name: str) -> Event:
    async for event in events:
        if event.name == name:
            return event
    raise AssertionError("The client is closed.")


async def log_in(client: Client, person: Person) -> None:
    await client.login(person.email, PASSWORD)
    await client.synced()


def run(work: Any) -> None:
    asyncio.run(asyncio.wait_for(work, TIMEOUT_S))


def test_tells_each_message_once(server: Server, tmp_path: Path) -> None:
    bot, friend = server.person("Bot"), server.person("Grace")
    chat_id = friend.group(bot)
    path = tmp_path / "bot.db"

    async def first() -> None:
        async with Client(server.url, storage=FileStorage(path)) as client:
            events = client.events()
            friend.say(chat_id, "before the login")
            await log_in(client, bot)
            friend.say(chat_id, "live")
            heard = [await next_of(events, "message") for _ in range(2)]
            assert [event.message.text for event in heard if event.message] == ["before the login", "live"]
            answer = await client.send(chat_id, "an answer", reply_to=heard[0].message)
            await answer.sent()
            assert heard[0].message
            assert (answer.reply_to_id, answer.id is None) == (heard[0].message.id, False)

    async def second() -> None:
        async with Client(server.url, storage=FileStorage(path)) as client:
            events = client.events()
            account = client.account
            assert account
            assert account["id"] == bot.id
            await client.synced()
            friend.call("PATCH", f"/groups/{chat_id}", {"name": "Renamed"})
            last = await next_of(events, "message")
            assert last.message
            assert last.message.text == "while away"

    run(first())
    friend.say(chat_id, "while away")
    run(second())


def test_tells_of_changes(server: Server) -> None:
    bot, friend = server.person("Bot"), server.person("Grace")

    async def work() -> None:
        async with Client(server.url) as client:
            events = client.events()
            await log_in(client, bot)
            chat_id = friend.group(bot)
            assert (await next_of(events, "chat")).chat_id == chat_id
            sent = friend.say(chat_id, "hello")
            message = (await next_of(events, "message")).message
            assert message
            friend.call("PATCH", f"/messages/{sent['id']}", {"text": "hello, edited"})
            assert (await next_of(events, "edited")).message is message
            assert message.text == "hello, edited"
            friend.call("DELETE", f"/messages/{sent['id']}")
            assert (await next_of(events, "deleted")).message is message
            assert message.text is None
            assert await client.history(chat_id, before_seq=2) == friend.call("GET", f"/messages/history/{chat_id}")
            await client.typing(chat_id, is_typing=True)
            friend.call("DELETE", f"/groups/{chat_id}/members/{bot.id}")
            assert (await next_of(events, "removed")).chat_id == chat_id
            failed = await client.send(chat_id, "too late")
            assert (await next_of(events, "failed")).message is failed
            with pytest.raises(ChatError, match="chat_not_found"):
                await failed.sent()
            bot.call("DELETE", "/auth/sessions")
            await next_of(events, "signed_out")
            assert client.account is None

    run(work())


def test_refuses_what_the_server_would_refuse(server: Server) -> None:
    bot = server.person("Bot")
    chat_id = bot.group()

    async def work() -> None:
        async with Client(server.url) as client:
            with pytest.raises(ChatError, match="signed_out"):
                await client.send(chat_id, "text")
            with pytest.raises(ChatError, match="invalid_credentials"):
                await client.login(bot.email, "wrong horse")
            await log_in(client, bot)
            for text in (" \n\ufeff", "x" * 4_097, "half \ud83d", "nothing \0"):
                with pytest.raises(ChatError, match="validation_failed"):
                    await client.send(chat_id, text)
            assert client.messages(chat_id) == []

    run(work())


def test_keeps_the_storage_of_one_person(server: Server, tmp_path: Path) -> None:
    bot, other = server.person("Bot"), server.person("Other")
    chat_id = bot.group()
    path = tmp_path / "bot.db"

    async def work() -> None:
        async with Client(server.url, storage=FileStorage(path)) as client:
            await log_in(client, bot)
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            with pytest.raises(ChatError, match="other_account"):
                await client.login(other.email, PASSWORD)
            second = Client(server.url, storage=FileStorage(path))
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await second.open()
            await (await client.send(chat_id, "text")).sent()
            await client.logout()
            assert client.chats == []
            await log_in(client, other)
            assert client.chat(chat_id) is None

    run(work())


def test_says_when_there_is_no_space(server: Server) -> None:
    bot = server.person("Bot")
    chat_id = bot.group()

    async def work() -> None:
        storage = MemoryStorage()
        async with Client(server.url, storage=storage) as client:
            await log_in(client, bot)
            storage._open.execute("PRAGMA max_page_count = 1")
            with pytest.raises(ChatError, match="storage_full"):
                for _ in range(100):
                    await client.send(chat_id, "x" * 4_000)
            storage._open.execute("PRAGMA max_page_count = 100000")
            last = await client.send(chat_id, "there is space again")
            await last.sent()
            texts = [message.text for message in client.messages(chat_id)]
            assert texts[-1] == "there is space again"

    run(work())


def test_syncs_more_chats_than_fit_into_a_call(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(store, "CHATS_OF_A_CALL", 2)
    bot, friend = server.person("Bot"), server.person("Grace")
    chats = [friend.group(bot, name=f"Group {number}") for number in range(5)]
    path = tmp_path / "bot.db"

    async def names(*, is_first: bool) -> list[str]:
        async with Client(server.url, storage=FileStorage(path)) as client:
            if is_first:
                await client.login(bot.email, PASSWORD)
            await client.synced()
            return sorted(chat["name"] for chat in client.chats)

    assert asyncio.run(names(is_first=True)) == [f"Group {number}" for number in range(5)]
    for chat_id in chats:
        friend.call("PATCH", f"/groups/{chat_id}", {"name": f"Renamed {chat_id}"})
    added = friend.group(bot, name="Added")
    friend.call("DELETE", f"/groups/{chats[1]}")
    rest = [f"Renamed {chat_id}" for chat_id in chats if chat_id != chats[1]]
    assert asyncio.run(names(is_first=False)) == sorted(["Added", *rest]), added
