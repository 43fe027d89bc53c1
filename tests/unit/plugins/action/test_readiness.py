# SPDX-License-Identifier: MIT
"""The action plug-in: slices, progress between them, and the module's result as it is."""

from __future__ import annotations

import json
import time
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.rhpds.litemaas.plugins.action import readiness
from ansible_collections.rhpds.litemaas.plugins.modules import readiness as module
from ansible_collections.rhpds.litemaas.plugins.plugin_utils import _progress_action

INSTANCE = {
    "name": "litemaas",
    "namespace": "litemaas",
    "labels": {"a": "b"},
    "expose": "route",
    "host": "h",
    "url": "https://h",
    "external_database": {"name": "db"},
    "frontend": {"host": "f", "url": "https://f"},
    "litellm": {"image": "x"},
    "redis": None,
}
DONE = {"changed": False, "ready": True, "instances": [], "progress": "all ready"}


class Scene:
    """The plug-in with a module that answers as told, and what was said and sent."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, Any]]) -> None:
        self.now, self.cost = 0.0, 1.0
        self.said: list[tuple[float, str]] = []
        self.sent: list[dict[str, Any]] = []
        self.answers = answers
        self.task = MagicMock(args={"instances": [INSTANCE], "timeout": 600}, no_log=False)
        self.plugin = readiness.ActionModule(
            self.task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), MagicMock()
        )
        monkeypatch.setattr(self.plugin, "_execute_module", self.execute)
        monkeypatch.setattr(_progress_action.ActionBase, "run", lambda *_args: {})
        monkeypatch.setattr(_progress_action.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(_progress_action.time, "sleep", self.sleep)
        monkeypatch.setattr(_progress_action.display, "display", self.say)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def say(self, text: str) -> None:
        self.said.append((self.now, text))

    def execute(self, **call: Any) -> dict[str, Any]:
        assert call["module_name"] == "rhpds.litemaas.readiness"
        part = json.loads(call["module_args"]["_slice"])
        self.sent.append({**call["module_args"], "_slice": part})
        answer = dict(self.answers[len(self.sent) - 1])
        whole = part["until"] - part["elapsed"] if "slice" in answer else 0.1
        self.now += self.cost + whole
        return answer

    def run(self) -> dict[str, Any]:
        return self.plugin.run(task_vars={})


def going_on(number: int) -> dict[str, Any]:
    return {"changed": False, "slice": f"state {number}", "progress": f"line {number}"}


def test_what_is_ready_takes_one_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, [DONE])
    assert scene.run() == {"changed": False, "ready": True, "instances": []}
    assert scene.said == [(1.1, "all ready")]
    (sent,) = scene.sent
    assert sent["_slice"] == {"until": 6.0, "elapsed": 0.0, "state": ""}
    assert sent["timeout"] == 600
    told = {k: v for k, v in INSTANCE.items() if k not in ("litellm", "redis")}
    assert sent["instances"] == [{**told, "switched_off": ["redis"]}]
    options = module.argument_spec()["instances"]["options"]
    assert set(sent["instances"][0]) == set(options)


@pytest.mark.parametrize("cost", [0.6, 1.0, 2.5, 6.0])
def test_a_line_at_least_every_ten_seconds(monkeypatch: pytest.MonkeyPatch, cost: float) -> None:
    scene = Scene(monkeypatch, [*[going_on(number) for number in range(9)], DONE])
    scene.cost = cost
    scene.run()
    assert [text for _when, text in scene.said] == [*[f"line {n}" for n in range(9)], "all ready"]
    times = [when for when, _text in scene.said]
    later = [b - a for a, b in zip(times, times[1:], strict=False)]
    assert max(later) <= 10
    assert times[0] <= max(10, _progress_action.FIRST + cost)


def test_a_slice_that_takes_too_long_does_not_silence_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def until(count: int) -> None:
        for _attempt in range(500):
            if len(said) >= count:
                return
            time.sleep(0.01)
        raise AssertionError(said)

    monkeypatch.setattr(_progress_action, "LINE_EVERY", 0.6)
    monkeypatch.setattr(_progress_action.display, "display", said.append)
    with _progress_action.Progress("first", quiet=False) as progress:
        until(2)
        progress.say("second")
        until(len(said) + 1)
    assert said[0] == "first (0 s ago)"
    assert said[-1] == "second (0 s ago)"
    before = list(said)
    time.sleep(0.3)
    assert said == before


def test_each_slice_gets_the_state_of_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, [going_on(1), going_on(2), DONE])
    scene.run()
    parts = [sent["_slice"] for sent in scene.sent]
    assert [part["state"] for part in parts] == ["", "state 1", "state 2"]
    assert parts[1]["elapsed"] == 7
    assert parts[2]["elapsed"] == parts[1]["until"] + 1


def test_the_next_slice_comes_after_the_rest_that_the_last_one_wants(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene(monkeypatch, [{**going_on(1), "rest": 3.5}, going_on(2), DONE])
    scene.run()
    assert [sent["_slice"]["elapsed"] for sent in scene.sent[:2]] == [0, 7 + 3.5]
    assert scene.said[0] == (7, "line 1"), "told before the rest"


def test_a_failure_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = {"failed": True, "msg": "1 of 2", "instances": [1], "ready": False}
    scene = Scene(monkeypatch, [going_on(1), failed])
    assert scene.run() == failed


def test_a_task_with_no_log_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, [going_on(1), DONE])
    scene.task.no_log = True
    scene.run()
    assert not scene.said


def test_the_slice_does_not_show_in_the_invocation(monkeypatch: pytest.MonkeyPatch) -> None:
    invocation = {"module_args": {"timeout": 600, "_slice": "{…}"}}
    scene = Scene(monkeypatch, [{**DONE, "invocation": invocation}])
    assert scene.run()["invocation"] == {"module_args": {"timeout": 600}}


@pytest.mark.parametrize("instances", [None, "litemaas", {"name": "x"}, ["x"]])
def test_what_is_no_list_of_instances_is_refused(
    monkeypatch: pytest.MonkeyPatch, instances: Any
) -> None:
    scene = Scene(monkeypatch, [])
    scene.task.args = {"instances": instances}
    with pytest.raises(AnsibleActionFail, match="as plan returns it"):
        scene.run()
