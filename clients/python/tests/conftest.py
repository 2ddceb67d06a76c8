"""A real server, and people who write to the client under test over REST."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
PASSWORD = "correct horse"  # noqa: S105


@dataclass
class Person:
    """Somebody with an account, signed in over REST."""

    http: httpx.Client
    id: int
    email: str

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def say(self, chat_id: int, text: str) -> Any:
        return self.call("POST", "/messages", {"chat_id": chat_id, "text": text})

    def group(self, *members: Person, name: str = "Group") -> int:
        body = {"name": name, "member_ids": [member.id for member in members]}
        return int(self.call("POST", "/groups", body)["id"])


@dataclass
class Server:
    """The built application."""

    url: str

    def person(self, name: str = "Ada", email: str | None = None) -> Person:
        email = email or f"{name}-{uuid4()}@example.org".lower()
        http = httpx.Client(base_url=self.url, timeout=30)
        registration = {"name": name, "email": email, "password": PASSWORD}
        http.post("/auth/register", json=registration).raise_for_status()
        login = http.post("/auth/login", data={"username": email, "password": PASSWORD}).raise_for_status()
        http.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
        return Person(http, http.get("/auth/me").json()["id"], email)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {"PATH": os.environ["PATH"], "PORT": "0", "RATE_LIMIT": "off", "LOG_LEVEL": "error"}
    process = subprocess.Popen(
        ["node", str(ROOT / "dist/src/main.js")],
        cwd=tmp_path_factory.mktemp("server"),
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield Server(_address_of(process))
    finally:
        process.terminate()
        process.wait(30)


def _address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    for line in process.stdout:
        found = re.search(r"WinDI Chat is at (\S+)", line)
        if found:
            return found[1]
    raise AssertionError("The server has not started: npm run build")
