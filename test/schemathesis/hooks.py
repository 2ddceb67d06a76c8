"""What schemathesis.toml can't say. The operations are named by their ids in openapi.json."""

import os
import unicodedata
import uuid

import requests
import schemathesis

ENDS_SESSIONS = ["logout", "endOtherSessions", "removeSession", "changePassword", "closeMe"]


class Bearer:
    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.auth(refresh_interval=None).skip_for(operation_id=ENDS_SESSIONS)
class Ada(Bearer):
    """She calls all operations but those that end sessions, so hers lasts."""

    def get(self, case, context):
        return os.environ["WINDI_TOKEN"]


@schemathesis.auth(refresh_interval=None).apply_to(operation_id=ENDS_SESSIONS)
class SomebodyNew(Bearer):
    """Each call of the others comes from a new user, so it ends nobody else's session."""

    def get(self, case, context):
        return new_session()["access_token"]

    def set(self, case, token, context):
        super().set(case, token, context)
        # Nobody else can remove it: a good request names a session of the caller.
        if context.operation.definition.raw["operationId"] == "removeSession" and is_good(case):
            case.path_parameters["id"] = call("GET", "/auth/sessions", headers=case.headers)[0]["id"]


def new_session():
    email = f"{uuid.uuid4()}@example.com"
    password = os.environ["WINDI_PASSWORD"]
    call("POST", "/auth/register", json={"name": "Mary Somerville", "email": email, "password": password})
    return call("POST", "/auth/login", data={"username": email, "password": password})


def call(method, path, **request):
    answer = requests.request(method, os.environ["WINDI_URL"] + path, timeout=10, **request)
    answer.raise_for_status()
    return answer.json()


def is_good(case):
    return case.meta is not None and case.meta.generation.mode.is_positive


@schemathesis.hook
def map_case(context, case):
    """Turns values that fit their schemas into those that a request needs."""
    # A refresh token is good once, so each refresh needs another.
    if case.operation.definition.raw["operationId"] == "refresh" and is_good(case):
        case.body = {**case.body, "refresh_token": new_session()["refresh_token"]}
    # 203.0 is an integer in JSON Schema, but not in an address.
    for values in (case.path_parameters, case.query):
        for name, value in (values or {}).items():
            if isinstance(value, float) and value.is_integer():
                values[name] = int(value)
    return case


@schemathesis.hook
def filter_case(context, case):
    """Leaves out what the document allows and the server doesn't, because no schema for all languages can say it."""
    body = case.body if isinstance(case.body, dict) else {}
    name = body.get("name")
    is_odd_name = isinstance(name, str) and any(map(may_be_refused, name))
    is_odd_page = len(POSITIONS.intersection(case.query or {})) > 1
    # Both may be given when they are equal, which random ones are not.
    is_odd_key = {"client_message_id", "Idempotency-Key"} <= {*body, *(case.headers or {})}
    return not (is_good(case) and (is_odd_name or is_odd_page or is_odd_key))


# Of a page of the history. Only one can be given.
POSITIONS = {"offset", "before_seq", "after_seq", "around_seq"}


def may_be_refused(character):
    """Names are visible and have no marks of direction."""
    return unicodedata.category(character)[0] in "CZ" and character != " "
