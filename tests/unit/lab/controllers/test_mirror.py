# SPDX-License-Identifier: MIT
"""The local copies, and the events of a watch."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from lablib.controllers import api as api_module
from lablib.controllers import mirror as mirror_module
from lablib.controllers.api import ApiError, path
from lablib.controllers.mirror import Mirror


def item(name: str, version: int = 1) -> dict[str, Any]:
    return {"metadata": {"namespace": "a", "name": name, "resourceVersion": str(version)}}


class Server:
    """Plays a script: each list and each watch is one step; at the end it waits for ever."""

    def __init__(self, *steps: Any) -> None:
        self._steps = iter(steps)
        self.over = threading.Event()

    def _step(self) -> Any:
        try:
            step = next(self._steps)
        except StopIteration:
            self.over.set()
            threading.Event().wait()
        if isinstance(step, ApiError):
            raise step
        return step

    def get(self, path: str) -> dict[str, Any]:
        return {"metadata": {"resourceVersion": "9"}, "items": self._step()}

    def watch(self, path: str, version: str) -> Iterator[tuple[str, dict[str, Any]]]:
        for event in self._step():
            if isinstance(event, ApiError):
                raise event
            yield event


def play(monkeypatch: pytest.MonkeyPatch, *steps: Any) -> tuple[list[str], list[str]]:
    """(names in the copy at the end, names that the listener heard)."""
    monkeypatch.setattr(mirror_module.time, "sleep", lambda seconds: None)
    server = Server(*steps)
    mirror = Mirror(server, "Service")  # type: ignore[arg-type]
    heard: list[str] = []
    mirror.listen(lambda kind, key: heard.append(key[1]))
    mirror.start()
    assert server.over.wait(10)
    assert mirror.listed.is_set()
    return [entry["metadata"]["name"] for entry in mirror.items()], heard


def test_list_and_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        ("ADDED", item("c")),
        ("BOOKMARK", {"metadata": {"resourceVersion": "12"}}),
        ("MODIFIED", item("a", 2)),
        ("DELETED", item("b")),
    ]
    names, heard = play(monkeypatch, [item("b"), item("a")], events)
    assert names == ["a", "c"]
    assert heard == ["b", "a", "c", "a", "b"]


def test_a_resync_tells_of_everything_also_of_what_went_unseen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names, heard = play(monkeypatch, [item("a"), item("b")], [], [item("b")], [])
    assert names == ["b"]
    assert sorted(heard) == ["a", "a", "b", "b"]


@pytest.mark.parametrize(
    "error", [ApiError(0, "away"), ApiError(410, "too old"), ApiError(404, "no such type")]
)
def test_a_failure_keeps_the_copy_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, error: ApiError
) -> None:
    names, _ = play(
        monkeypatch,
        error,
        [item("a")],
        [("ADDED", item("b")), error],
        error,
        [item("a"), item("c")],
        [],
    )
    assert names == ["a", "c"]


def test_events_however_they_are_cut() -> None:
    lines = b"".join(
        json.dumps({"type": "ADDED", "object": item(name)}).encode() + b"\n" for name in "abc"
    )
    for size in (1, 7, 50, 1000):
        chunks = (lines[start : start + size] for start in range(0, len(lines), size))
        assert [entry["metadata"]["name"] for _, entry in api_module._events(chunks)] == [
            "a",
            "b",
            "c",
        ]


def test_an_error_event_is_an_error() -> None:
    line = b'{"type": "ERROR", "object": {"code": 410, "message": "too old"}}\n'
    with pytest.raises(ApiError) as raised:
        list(api_module._events(iter([line])))
    assert raised.value.status == 410


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("Namespace",), "/api/v1/namespaces"),
        (("Namespace", "", "a"), "/api/v1/namespaces/a"),
        (("Secret", "a"), "/api/v1/namespaces/a/secrets"),
        (("Route", "a", "r", "status"), "/apis/route.openshift.io/v1/namespaces/a/routes/r/status"),
    ],
)
def test_path(arguments: tuple[str, ...], expected: str) -> None:
    assert path(*arguments) == expected
