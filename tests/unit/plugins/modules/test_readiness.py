# SPDX-License-Identifier: MIT
"""The module's edge: what it returns in each case, and what it documents."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._slice import Slice
from ansible_collections.rhpds.litemaas.plugins.modules import readiness

INSTANCE = {
    "name": "litemaas",
    "namespace": "litemaas",
    "labels": {"a": "b"},
    "expose": "none",
    "host": "",
    "url": "",
}


class Ended(Exception):
    """The module has returned."""


class Cluster:
    """A client whose cluster holds nothing."""

    def __init__(self, connection: str, **_limits: Any) -> None:
        if connection == "refused":
            raise LitemaasError("The API server cannot be reached", extra=1)

    def each(self, function: Any, items: Any) -> list[Any]:
        return [function(item) for item in items]

    def list(self, _path: str, **_query: Any) -> list[Any]:
        return []

    def pages(self, _path: str, **_query: Any) -> list[list[Any]]:
        return []

    def find(self, _path: str, **_query: Any) -> None:
        return None


def run(monkeypatch: pytest.MonkeyPatch, *, check: bool = False, **params: Any) -> dict[str, Any]:
    """The module's result for one instance of which there is nothing."""
    result: dict[str, Any] = {}

    class Module:
        def __init__(self, argument_spec: dict[str, Any], supports_check_mode: bool) -> None:
            assert supports_check_mode
            assert set(params) <= set(argument_spec)
            defaults = {name: option.get("default") for name, option in argument_spec.items()}
            self.params = {**defaults, "instances": [INSTANCE], "timeout": 0, **params}
            self.check_mode = check

        def exit_json(self, **values: Any) -> None:
            result.update(values)
            raise Ended

        def fail_json(self, **values: Any) -> None:
            self.exit_json(failed=True, **values)

    monkeypatch.setattr(readiness, "AnsibleModule", Module)
    monkeypatch.setattr(readiness, "load", lambda values: values["host"])
    monkeypatch.setattr(readiness, "Client", Cluster)
    with pytest.raises(Ended):
        readiness.main()
    json.dumps(result)
    return result


def test_what_is_not_ready_fails_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch)
    assert (result["failed"], result["ready"]) == (True, False)
    assert result["msg"] == (
        "litemaas is not ready after 0 s: namespace (absent): namespace litemaas does not exist"
    )
    assert result["instances"][0]["reason"] == "namespace litemaas does not exist"


def test_check_mode_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run(monkeypatch, check=True, timeout=600)
    assert "failed" not in result
    assert (result["changed"], result["ready"]) == (False, False)
    assert result["instances"][0]["phase"] == "absent"


def test_a_slice_that_ends_returns_what_the_next_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    part = Slice(until=0.5, elapsed=0.0).dump()
    result = run(monkeypatch, timeout=600, _slice=part)
    assert set(result) == {"changed", "progress", "slice", "rest"}
    assert "litemaas" in json.loads(result["slice"])["tracks"]
    last = Slice(until=700, elapsed=600, state=result["slice"]).dump()
    assert run(monkeypatch, timeout=600, _slice=last)["failed"] is True


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"host": "refused"}, "cannot be reached"),
        ({"instances": []}, "instances is empty"),
    ],
)
def test_an_error_is_a_message(
    monkeypatch: pytest.MonkeyPatch, params: dict[str, Any], message: str
) -> None:
    result = run(monkeypatch, **params)
    assert result["failed"] is True
    assert message in result["msg"]


def test_what_is_returned_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    documented = yaml.safe_load(readiness.RETURN)["instances"]["contains"]
    assert set(run(monkeypatch)["instances"][0]) == set(documented)
