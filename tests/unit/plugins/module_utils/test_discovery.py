# SPDX-License-Identifier: MIT
"""Many model servers at once, and the entries that are made of what they say."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _content_model,
    _content_options,
    _discovery,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._model_endpoint import (
    Answer,
    Endpoint,
)

from .gateway_stand_in import serve

KEY = "sk-canary-of-a-model-0123456789"
SECRET = {"name": "granite", "key": "token", "namespace": "genai"}
PARAMS: dict[str, Any] = {
    "endpoints": [],
    "inference_services": None,
    "ca": None,
    "test": True,
    "timeout": 2,
    "retries": 0,
    "return_values": False,
    "on_failure": "fail",
}


def found(base: str = "https://m/v1", mode: str = "chat", **endpoint: Any) -> Any:
    return Endpoint("it", base, **endpoint), Answer(base, "address", "", {"granite": mode})


@pytest.mark.parametrize(
    ("endpoint", "more"),
    [
        ({}, {"api_key": _discovery.NO_KEY}),
        ({"key": KEY, "secret": SECRET}, {"api_key_secret": SECRET}),
        ({"key": KEY}, {}),
        (
            {"parameters": {"rpm": 3}},
            {"api_key": _discovery.NO_KEY, "parameters": {"rpm": 3}},
        ),
    ],
)
def test_an_entry(endpoint: dict[str, Any], more: dict[str, Any]) -> None:
    (entry,), notes = _discovery.entries([found(**endpoint)], values=False)
    base = {"name": "granite", "model": "openai/granite", "api_base": "https://m/v1"}
    assert entry == {**base, **more}
    assert ("return_values" in " ".join(notes)) is (endpoint == {"key": KEY})


def test_a_key_only_where_it_is_asked_for() -> None:
    (entry,), notes = _discovery.entries([found(key=KEY)], values=True)
    assert (entry["api_key"], notes) == (KEY, [])


def test_embeddings_are_said_so() -> None:
    (entry,), _notes = _discovery.entries([found(mode="embedding")], values=False)
    assert entry["mode"] == "embedding"


def test_a_name_of_several_servers_has_several_ids() -> None:
    places = [found("https://a/v1"), found("https://b/v1"), found("https://a/v1")]
    entries, notes = _discovery.entries(places, values=False)
    assert [entry["api_base"] for entry in entries] == ["https://a/v1", "https://b/v1"]
    assert entries[0]["id"] == _content_model.id_for("granite") != entries[1]["id"]
    assert "granite is served by https://a/v1, https://b/v1" in notes[0]
    assert _content_options.faults({"models": entries}) == []


def test_entries_are_what_gateways_take() -> None:
    entries, _notes = _discovery.entries([found(), found("https://b/v1", key=KEY)], values=True)
    assert _content_options.faults({"models": entries}) == []


def test_one_that_fails_takes_nothing_from_the_others() -> None:
    with serve() as server:
        server.answers = {
            "/v1/models": (200, {"data": [{"id": "granite"}]}),
            "/v1/chat/completions": (200, {}),
        }
        endpoints = [
            {"url": "https://model.invalid", "name": "lost"},
            {"url": server.url, "api_key": KEY},
            {"url": server.url, "api_key": KEY, "api_key_secret": SECRET, "name": "both"},
            {"url": server.url, "api_key_secret": {"name": "x", "key": "token"}, "name": "where"},
            {"url": "https://x", "ca": "/nowhere", "name": "file"},
        ]
        result = _discovery.run({**PARAMS, "endpoints": endpoints})
        assert result["failed"] is True
        again = _discovery.run({**PARAMS, "endpoints": endpoints, "on_failure": "report"})
    assert [entry["name"] for entry in result["models"]] == ["granite"]
    assert result["msg"].startswith("4 of 5 model servers have a problem:\nlost: ")
    for said in (
        "lost: https://model.invalid: its host name does not resolve here",
        "both: it has both api_key and api_key_secret",
        "where: its api_key_secret x has no namespace",
        "file: ca /nowhere cannot be read",
    ):
        assert said in result["msg"]
    assert again["failed"] is False and again["problems"] == result["problems"]
    assert KEY not in str(result)


def test_nothing_to_ask() -> None:
    with pytest.raises(LitemaasError, match="give endpoints, or inference_services"):
        _discovery.run(PARAMS)


def test_no_cluster_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(_params: Any) -> Any:
        raise LitemaasError("no kubeconfig")

    monkeypatch.setattr(_discovery._client, "connect", connect)
    result = _discovery.run({**PARAMS, "inference_services": {"names": []}})
    assert result["problems"] == ["InferenceServices: no kubeconfig"]
