# SPDX-License-Identifier: MIT
"""The table of instances, in a narrow and in a wide terminal."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _status_text

REASON = (
    "no node can take pod litellm-7d4b9c-x2x5v: 0/6 nodes are available: 6 Insufficient memory; "
    "add or free nodes, or lower the requests"
)


def row(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": f"litemaas-{name}",
        "deployment": "litemaas-user",
        "ready": True,
        "phase": "ready",
        "component": "",
        "reason": "",
        "url": f"https://litellm-{name}-rhpds.apps.cluster-abcde.example.com",
        "models": 2,
        "version": "v1.106.0",
        "litemaas_version": "0.2.0",
        "age": 3 * 86400,
        "restarts": 0,
        **more,
    }


ROWS = [
    row("user1"),
    row("user2", ready=False, phase="pending", component="litellm", reason=REASON, models=None),
]


def test_eighty_columns() -> None:
    text = _status_text.text(ROWS, 80)
    assert text.splitlines() == [
        "litemaas-user: LiteMaaS 0.2.0; 1 of 2 instances ready",
        "NAME   NAMESPACE       READY  MODELS  VERSION   AGE  RESTARTS",
        "user1  litemaas-user1  yes         2  v1.106.0   3d         0",
        "    https://litellm-user1-rhpds.apps.cluster-abcde.example.com",
        "user2  litemaas-user2  no          -  v1.106.0   3d         0",
        "    https://litellm-user2-rhpds.apps.cluster-abcde.example.com",
        "    litellm (pending): no node can take pod litellm-7d4b9c-x2x5v: 0/6 nodes are",
        "    available: 6 Insufficient memory; add or free nodes, or lower the requests",
    ]


def test_two_hundred_columns() -> None:
    lines = _status_text.text(ROWS, 200).splitlines()
    url = "https://litellm-user1-rhpds.apps.cluster-abcde.example.com"
    assert lines[1] == "NAME   NAMESPACE       READY  MODELS  VERSION   AGE  RESTARTS  URL"
    assert lines[2] == f"user1  litemaas-user1  yes         2  v1.106.0   3d         0  {url}"
    assert lines[4] == f"    litellm (pending): {REASON}"
    assert len(lines) == 5


@pytest.mark.parametrize("width", [79, 80, 120, 200])
def test_never_wider_than_the_terminal(width: int) -> None:
    rows = [row(f"user{n}", ready=False, component="c", reason=REASON * 3) for n in range(1, 81)]
    assert max(map(len, _status_text.text(rows, width).splitlines())) <= width


def test_several_deployments_and_their_sum() -> None:
    others = [row("a", deployment="b", litemaas_version=v) for v in ("", "0.1.0", "0.2.0")]
    blocks = _status_text.text([*ROWS, *others], 200).split("\n\n")
    assert [block.split("\n")[0] for block in blocks] == [
        "litemaas-user: LiteMaaS 0.2.0; 1 of 2 instances ready",
        "b: LiteMaaS 0.1.0, 0.2.0; 3 of 3 instances ready",
        "2 deployments: 4 of 5 instances ready",
    ]


def test_what_is_not_known() -> None:
    unknown = row("a", deployment="", url="", version="", litemaas_version="", age=None)
    unknown |= {"restarts": None, "models": None}
    assert _status_text.text([unknown], 80).splitlines() == [
        "unknown deployment: 1 of 1 instance ready",
        "NAME  NAMESPACE   READY  MODELS  VERSION  AGE  RESTARTS  URL",
        "a     litemaas-a  yes         -  -          -         -  -",
    ]


def test_nothing_is_said_so() -> None:
    assert _status_text.text([], 80) == "No instance found."


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (119, "119s"), (120, "2m"), (7199, "119m"), (7200, "2h"), (86399, "23h")]
    + [(86400, "1d"), (40 * 86400, "40d")],
)
def test_durations(seconds: int, text: str) -> None:
    assert _status_text.duration(seconds) == text


def test_an_application_has_a_line_of_its_own() -> None:
    front = "https://litemaas-user1-rhpds.apps.cluster-abcde.example.com"
    for width in (80, 200):
        lines = _status_text.text([row("user1", frontend_url=front)], width).splitlines()
        assert lines[-1] == f"    application: {front}"
