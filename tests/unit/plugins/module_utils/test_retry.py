# SPDX-License-Identifier: MIT
"""When a request is sent again, and how long that takes at most."""

from __future__ import annotations

import email.utils
import time
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _retry


@pytest.mark.parametrize(
    ("status", "message", "passing"),
    [
        (429, "too many requests", True),
        (500, "etcdserver: leader changed", True),
        (502, "", True),
        (503, "", True),
        (504, "", True),
        # An object that does not fit its schema is no fault of the server, whatever it says.
        (500, "failed to create typed patch object (x/y; v1, Kind=ConfigMap): .data", False),
        (500, "failed to convert new object (x/y; /v1, Kind=Secret) to proper version", False),
        (400, "", False),
        (401, "", False),
        (403, "", False),
        (404, "", False),
        (409, "", False),
        (422, "", False),
    ],
)
def test_only_passing_faults_are_retried(status: int, message: str, passing: bool) -> None:
    assert _retry.is_passing(status, {"message": message}) is passing
    assert _retry.is_passing(status, "<html>") is (status in _retry.RETRIED)


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "3"}, {}, 3),
        ({"Retry-After": "0.5"}, {}, 0.5),
        ({"Retry-After": "-1"}, {}, 0),
        ({"Retry-After": "soon"}, {}, None),
        ({}, {"details": {"retryAfterSeconds": 7}}, 7),
        ({"Retry-After": "3"}, {"details": {"retryAfterSeconds": 7}}, 3),
        ({}, {"details": None}, None),
        ({}, {}, None),
        ({}, "<html>", None),
        ({}, None, None),
    ],
)
def test_the_servers_wish_is_read(headers: dict[str, str], body: Any, seconds: float) -> None:
    assert _retry.retry_after(headers, body) == seconds


def test_the_servers_wish_may_be_a_date() -> None:
    when = email.utils.formatdate(time.time() + 30, usegmt=True)
    found = _retry.retry_after({"Retry-After": when})
    assert found is not None and 28 <= found <= 30


def test_waits_grow_with_jitter_and_end() -> None:
    budget = _retry.Budget(retries=6, patience=60, clock=lambda: 0.0)
    waits = [budget.delay() for _unused in range(7)]
    assert waits[6] is None
    for number, wait in enumerate(waits[:6]):
        middle = min(_retry.LONGEST_DELAY, _retry.FIRST_DELAY * 2**number)
        assert wait is not None and middle / 2 <= wait <= middle * 1.5
    assert len(set(waits)) == 7


def test_the_server_is_never_asked_earlier_than_it_wished() -> None:
    budget = _retry.Budget(retries=100, patience=60, clock=lambda: 0.0)
    assert all(5 <= (budget.delay(5) or 0) <= 5 + _retry.FIRST_DELAY for _unused in range(50))


def test_a_wish_beyond_the_budget_ends_it() -> None:
    now = [0.0]
    budget = _retry.Budget(retries=6, patience=60, clock=lambda: now[0])
    assert budget.delay(3600) is None
    now[0] = 59.95
    assert budget.delay(1) is None
    assert budget.used == 0
