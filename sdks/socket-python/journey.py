"""The journey of the sockets in docs/sdks.md, with the AsyncClient of python-socketio."""

import asyncio
import json
import os
from functools import partial
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

import socketio

URL = os.environ["WINDI_URL"]
PASSWORD = "correct horse"
TIMEOUT_S = 30
EVENTS = ["connect", "connect_error", "message:created", "read_receipt", "auth:expired", "server:draining"]

Json = dict[str, Any]


async def post(path: str, body: Json, token: str = "") -> Json:
    """Calls a REST operation and returns its answer."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    request = Request(URL + path, json.dumps(body).encode(), headers)

    def call() -> Json:
        with urlopen(request, timeout=TIMEOUT_S) as answer:
            parsed: Json = json.load(answer)
            return parsed

    return await asyncio.to_thread(call)


async def register(name: str, email: str) -> int:
    account = await post("/auth/register", {"name": name, "email": email, "password": PASSWORD})
    return int(account["id"])


class Device:
    """A device with a session of its own, and all events that it has heard."""

    def __init__(self) -> None:
        self.client = socketio.AsyncClient()
        self.tokens: Json = {}
        self.heard: list[tuple[str, Json]] = []
        self.more = asyncio.Condition()
        for event in EVENTS:
            self.client.on(event, partial(self.hear, event))

    async def hear(self, event: str, payload: Json | None = None) -> None:
        async with self.more:
            self.heard.append((event, payload or {}))
            self.more.notify_all()

    def all(self, event: str) -> list[Json]:
        return [payload for name, payload in self.heard if name == event]

    async def until(self, event: str, count: int = 1) -> list[Json]:
        """All payloads of an event, as soon as there are so many."""
        async with self.more:
            await asyncio.wait_for(self.more.wait_for(lambda: len(self.all(event)) >= count), TIMEOUT_S)
        return self.all(event)

    async def log_in(self, email: str) -> None:
        self.tokens = await post("/auth/login", {"username": email, "password": PASSWORD})
        await self.client.connect(URL, auth=self.auth, wait_timeout=TIMEOUT_S)

    async def auth(self) -> Json:
        """The client calls this for every connection, so each one has a token that is good."""
        return {"token": await self.renew()}

    async def renew(self) -> str:
        """Gets the next access token."""
        renewal = {"refresh_token": self.tokens["refresh_token"], "client_refresh_id": str(uuid4())}
        self.tokens = await post("/auth/refresh", renewal)
        return str(self.tokens["access_token"])

    async def command(self, name: str, payload: Json) -> Json:
        """Sends a command and returns its ack."""
        ack: Json = await self.client.call(name, payload, timeout=TIMEOUT_S)
        return ack


def data_of(ack: Json) -> Json:
    """The data of a positive ack."""
    assert ack["ok"], ack
    data: Json = ack["data"]
    return data


def done(step: str) -> None:
    """Tells the runner that a step is done."""
    print("ok", step, flush=True)


async def main() -> None:
    email, friend_email = f"ada-{uuid4()}@example.org", f"grace-{uuid4()}@example.org"
    grace = await register("Grace Hopper", friend_email)
    await register("Ada Lovelace", email)
    phone, laptop, friend = Device(), Device(), Device()
    await phone.log_in(email)
    await laptop.log_in(email)
    await friend.log_in(friend_email)
    done("connect")

    stranger = Device()
    try:
        await stranger.client.connect(URL, auth={"token": "bad"}, wait_timeout=TIMEOUT_S)
        raise AssertionError("not refused")
    except socketio.exceptions.ConnectionError:
        # The exception has no code; the event has.
        [refusal] = await stranger.until("connect_error")
        assert refusal["data"]["code"] == "unauthorized", refusal
    done("refused connect")

    chat = await post("/chats", {"type": "private", "user_id": grace}, phone.tokens["access_token"])
    command = {"chat_id": chat["id"], "text": "Привет!", "client_message_id": str(uuid4())}
    sent = await phone.command("message:send", command)
    message = data_of(sent)
    assert (message["seq"], message["text"], sent["replayed"]) == (1, "Привет!", False), sent
    done("send")

    again = await laptop.command("message:send", command)
    assert again["replayed"] and data_of(again)["id"] == message["id"], again
    done("replay")

    other = await phone.command("message:send", {**command, "text": "Other"})
    assert other["error"]["code"] == "client_message_id_conflict", other
    done("conflict")

    # Events of a chat come in order: when the second message is there, nothing of the first is under way.
    second = data_of(await phone.command("message:send", {**command, "client_message_id": str(uuid4())}))
    for device in (phone, laptop, friend):
        created = await device.until("message:created", 2)
        assert [item["id"] for item in created] == [message["id"], second["id"]], created
    done("exactly once")

    read = data_of(await friend.command("message:read", {"message_id": second["id"]}))
    for device in (phone, laptop):
        [receipt] = await device.until("read_receipt")
        assert receipt == read and receipt["reader_id"] == grace, receipt
    done("receipt")

    await laptop.client.disconnect()
    await friend.client.disconnect()
    await phone.until("auth:expired")
    late = await phone.command("message:read", {"message_id": message["id"]})
    assert late["error"]["code"] == "token_expired", late
    done("expiry")

    refreshed = data_of(await phone.command("auth:refresh", {"token": await phone.renew()}))
    assert refreshed["expires_in"] > 0, refreshed
    done("refresh")

    print("ready", flush=True)
    [draining] = await phone.until("server:draining")
    assert draining["reconnect_in_ms"] > 0, draining
    done("drain")

    await phone.until("connect", 2)
    done("reconnect")

    third = data_of(await phone.command("message:send", {**command, "client_message_id": str(uuid4())}))
    assert third["seq"] == 3, third
    created = await phone.until("message:created", 3)
    assert created[2] == third, created
    await phone.client.disconnect()
    done("send again")


asyncio.run(main())
