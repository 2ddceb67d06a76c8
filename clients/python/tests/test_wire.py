"""The types of the wire are those of the documents of the server."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest

from windi_chat import wire

from .conftest import ROOT

SCHEMAS: dict[str, Any] = {
    name: schema
    for document in ("asyncapi.json", "openapi.json")
    for name, schema in json.loads((ROOT / document).read_text())["components"]["schemas"].items()
}
TYPES = [kind for _, kind in inspect.getmembers(wire, inspect.isclass) if hasattr(kind, "__required_keys__")]


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_has_the_fields_of_the_document(kind: Any) -> None:
    schema = SCHEMAS[kind.__name__]
    # Under `from __future__ import annotations` NotRequired is a part of the text.
    optional = {name for name, text in _annotations(kind).items() if "NotRequired" in text}
    assert set(_annotations(kind)) == set(schema["properties"])
    assert set(_annotations(kind)) - optional == set(schema["required"])


def _annotations(kind: Any) -> dict[str, str]:
    return {
        name: getattr(annotation, "__forward_arg__", str(annotation))
        for name, annotation in kind.__annotations__.items()
    }


def test_finds_the_types() -> None:
    assert len(TYPES) > 10
