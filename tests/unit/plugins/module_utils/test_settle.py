# SPDX-License-Identifier: MIT
"""Look, decide, act, look again: what a lost answer and a change that is not made lead to."""

from __future__ import annotations

from typing import Any, cast

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _settle
from ansible_collections.rhpds.litemaas.plugins.module_utils._content import Change
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_error import (
    LOST,
    PROXY,
    GatewayError,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._management import (
    Management,
    is_absent,
    is_passing,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settle import Settler


class Api:
    """A gateway with one object. *failures*: what creating it raises, in order; None is an answer."""

    def __init__(self, *failures: GatewayError | None, keeps: bool = True) -> None:
        self.failures = list(failures)
        self.keeps = keeps
        self.there = False
        self.calls: list[str] = []

    def look(self) -> bool:
        return self.there

    def create(self, kind: str, body: Any) -> None:
        self.calls.append("create")
        failure = self.failures.pop(0) if self.failures else None
        self.there = self.keeps and (failure is None or failure.type == LOST)
        if failure:
            raise failure

    def delete(self, kind: str, id: str) -> None:
        self.calls.append("delete")
        self.there = False


def decide(there: bool) -> Change:
    return Change("team", "t", "unchanged" if there else "created", after={"max_budget": 1})


def settle(api: Api, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Change:
    now = [0.0]
    monkeypatch.setattr(_settle.time, "monotonic", lambda: now[0])

    def sleep(seconds: float) -> None:
        now[0] += seconds

    settler = Settler(cast(Management, api), sleep=sleep, **{"retries": 3, **options})
    return settler.settle(api.look, decide)


@pytest.mark.parametrize(
    ("failures", "calls"),
    [
        ((), 1),
        ((GatewayError(0, "no answer within the time", LOST),), 1),  # it was made all the same
        ((GatewayError(503, "Service Unhealthy", "litellm"),), 2),
        ((GatewayError(500, "Can't reach database server", "litellm"), None), 2),
    ],
)
def test_nothing_is_made_twice(
    failures: tuple[GatewayError, ...], calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(*failures)
    assert settle(api, monkeypatch).action == "created"
    assert api.calls == ["create"] * calls


def test_check_mode_only_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    assert settle(api, monkeypatch, dry_run=True).action == "created"
    assert api.calls == []


def test_a_change_that_is_accepted_and_not_made_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(LitemaasError, match="said that it made it, and does not have it"):
        settle(Api(keeps=False), monkeypatch)


@pytest.mark.parametrize("status", [400, 401, 403, 422, 500])
def test_a_refusal_is_an_error_at_once(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(GatewayError(status, "already exists", "litellm"))
    with pytest.raises(GatewayError, match="already exists"):
        settle(api, monkeypatch)
    assert api.calls == ["create"]


def test_retries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api(*(GatewayError(503, "away", "litellm") for _unused in range(9)))
    with pytest.raises(GatewayError):
        settle(api, monkeypatch, retries=2)
    assert api.calls == ["create"] * 3


@pytest.mark.parametrize(
    ("error", "absent", "passing"),
    [
        (GatewayError(404, "Team not found, passed team id: t", "litellm"), True, False),
        (GatewayError(404, "Not Found", "http"), False, False),
        (GatewayError(404, 'services "litellm" not found', PROXY), False, False),
        (GatewayError(401, "not found", "litellm"), False, False),
        (GatewayError(503, "x", "http"), False, True),
        (GatewayError(0, "x", LOST), False, True),
        (GatewayError(0, "x", "untrusted"), False, False),
        (GatewayError(500, "Failed to add model", "litellm"), False, False),
    ],
)
def test_errors_are_told_apart(error: GatewayError, absent: bool, passing: bool) -> None:
    assert (is_absent(error, 404), is_passing(error)) == (absent, passing)
