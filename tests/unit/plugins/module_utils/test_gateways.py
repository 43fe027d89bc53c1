# SPDX-License-Identifier: MIT
"""Which gateways are meant, and what is missing to reach them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _gateways
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

PARAMS: dict[str, Any] = {"gateway_key": None, "gateway_secret": "litellm-secret"}
WITH_KEY = {**PARAMS, "gateway_key": "sk-canary"}


@pytest.mark.parametrize(
    ("given", "params", "said"),
    [
        ([], PARAMS, "list is empty"),
        ([{"name": "x"}], PARAMS, "Gateway 1 has neither a namespace nor a url"),
        ([{"url": "https://x"}], PARAMS, "give it as gateway_key, or the namespace"),
        ([{"url": "http://x.example.com"}], WITH_KEY, "clear text: use https://"),
    ],
)
def test_what_is_missing_is_named(given: list[Any], params: dict[str, Any], said: str) -> None:
    with pytest.raises(LitemaasError, match=said) as caught:
        _gateways.many(given, params)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["https://x.example.com", "http://127.0.0.1:4000", "http://litellm.here.svc:4000"],
)
def test_a_key_goes_where_nobody_listens(url: str) -> None:
    (target,) = _gateways.many([{"url": url}], WITH_KEY)
    assert (target.name, target.url, target.key) == (url, url, "sk-canary")
    assert "canary" not in repr(target)


def test_an_instance_of_a_plan_is_a_gateway() -> None:
    instance = {
        "name": "user1",
        "namespace": "litemaas-user1",
        "url": "https://x/",
        "expose": "route",
        "labels": {"a": "b"},
        "postgres": {},
    }
    (target,) = _gateways.many([instance], PARAMS)
    assert target.place == {"namespace": "litemaas-user1", "url": "https://x", "expose": "route"}
    assert (target.name, target.labels) == ("user1", {"a": "b"})


def test_a_ca_is_text_or_a_file(tmp_path: Path) -> None:
    with pytest.raises(LitemaasError, match="gateway_ca /nowhere cannot be read"):
        _gateways.Gateways({"gateway_ca": "/nowhere", "gateway_timeout": 1}, [])
