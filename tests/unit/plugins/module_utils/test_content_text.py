# SPDX-License-Identifier: MIT
"""Tables of what gateways hold, of what was changed, and of what model servers said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _content_text, _spend

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def key(alias: str, **row: Any) -> dict[str, Any]:
    return {"key_alias": alias, "key_name": "sk-...abcd", "models": [], **row, **_spend.of(row)}


def gateway(name: str, **content: Any) -> dict[str, Any]:
    return {"name": name, "via": "route", "problems": [], **content}


def report() -> dict[str, Any]:
    one = gateway(
        "user1",
        spend=0.0205,
        teams=[
            {
                "team_id": "t1",
                "team_alias": "students",
                **_spend.of({"spend": 0.02, "max_budget": 5}),
            }
        ],
        users=[{"user_id": "ann", "user_alias": None, **_spend.of({"spend": 0.02})}],
        virtual_keys=[
            key("lab", user_id="ann", team_id="t1", spend=0.0205, max_budget=10),
            key("gone", spend=0.00000012, max_budget=0.0000001),
        ],
    )
    two = gateway("user2", spend=0.0, teams=[], users=[], virtual_keys=[])
    bad = {"name": "user3", "problems": ["it cannot be reached"]}
    return {"spend": 0.0205, "gateways": [one, two, bad]}


def test_what_was_spent() -> None:
    assert _content_text.text(report(), 80, NOW).splitlines() == [
        "user1: 0.0205 USD spent by 2 keys",
        "KIND  NAME      USER  TEAM           SPENT     BUDGET    LEFT  STATE",
        "team  students  -     -             0.0200     5.0000  4.9800  ok",
        "user  ann       -     -             0.0200          -       -  ok",
        "key   gone      -     -         0.00000012  0.0000001  0.0000  exhausted",
        "key   lab       ann   students      0.0205    10.0000  9.9795  ok",
        "",
        "user2: 0.0000 USD spent by 0 keys",
        "",
        "user3: it cannot be reached",
        "",
        "2 gateways: 0.0205 USD spent in all",
    ]


def test_keys_alone_say_what_they_may() -> None:
    keys = [
        key("b", models=["m1", "m2", "m3", "m4"], expires="2026-02-01T00:00:00Z"),
        key("a", budget_reset_at="2026-04-01T00:00:00+00:00", max_budget=1.0),
    ]
    text = _content_text.text({"gateways": [gateway("x", spend=0.0, virtual_keys=keys)]}, 80, NOW)
    assert text.splitlines()[1:] == [
        "KIND  NAME   SPENT  BUDGET    LEFT  RESETS      STATE    EXPIRES     MODELS",
        "key   a     0.0000  1.0000  1.0000  2026-04-01  ok       -           all",
        "key   b     0.0000       -       -  -           expired  2026-02-01  m1, m2, m3 and 1 more",
    ]


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ({}, "ok"),
        ({"exhausted": True}, "exhausted"),
        ({"blocked": True, "exhausted": True}, "blocked"),
        ({"expires": "2026-02-28T23:59:59"}, "expired"),
        ({"expires": "2026-03-01T00:00:01+00:00"}, "ok"),
    ],
)
def test_why_a_key_is_refused(row: dict[str, Any], state: str) -> None:
    assert _content_text.state(row, NOW) == state


@pytest.mark.parametrize(
    ("amount", "text"),
    [(None, "-"), (0.0, "0.0000"), (12.5, "12.5000"), (0.0001, "0.0001"), (2e-7, "0.0000002")],
)
def test_money(amount: float | None, text: str) -> None:
    assert _content_text.money(amount) == text


def test_the_same_models_are_told_once() -> None:
    models = [
        {"name": "tale", "model": "openai/tale", "mode": None, "api_base": "http://m/v1"},
        {"name": "embed", "model": "openai/embed", "mode": "embedding", "api_base": None},
    ]
    gateways = [gateway(f"user{number}", models=models) for number in range(1, 7)]
    text = _content_text.text({"gateways": [*gateways, gateway("other", models=[])]}, 80)
    assert text.splitlines() == [
        "user1, user2 … user6 (6 gateways):",
        "MODEL  UPSTREAM      MODE       ADDRESS",
        "embed  openai/embed  embedding  -",
        "tale   openai/tale   chat       http://m/v1",
        "",
        "other:",
        "none",
    ]


def test_what_was_done_and_where_the_value_is() -> None:
    where = {"secret": "litellm-virtual-keys", "secret_key": "lab"}
    keys = [
        {"key_alias": "lab", "action": "created", "verified_model": "tale", **where},
        {"key_alias": "old", "action": "deleted", **where},
        {"key_alias": "seen", "action": "replaced", "value": "sk-asked-for", **where},
    ]
    models = [{"name": "tale", "action": "unchanged"}]
    text = _content_text.text({"gateways": [gateway("x", models=models, virtual_keys=keys)]}, 80)
    assert text.splitlines() == [
        "x:",
        "model  tale  unchanged",
        "key    lab   created    value in the Secret litellm-virtual-keys, entry lab  tale answers it",
        "key    old   deleted",
        "key    seen  replaced   sk-asked-for",
    ]


def test_what_model_servers_said() -> None:
    result = {
        "endpoints": [
            {
                "name": "genai/granite",
                "url": "https://granite/v1",
                "models": [{"name": "granite", "mode": "chat"}, {"name": "e", "mode": "embedding"}],
            },
            {"name": "lost", "url": "", "models": []},
        ],
        "problems": ["lost: its host name does not resolve here"],
        "notes": ["x is left out: it is stopped"],
    }
    assert _content_text.text(result, 80).splitlines() == [
        "SERVER         ADDRESS             MODELS",
        "genai/granite  https://granite/v1  granite, e (embedding)",
        "lost           -                   -",
        "",
        "lost: its host name does not resolve here",
        "",
        "x is left out: it is stopped",
    ]


def test_nothing() -> None:
    assert _content_text.text({"gateways": []}, 80) == "Nothing to show."
