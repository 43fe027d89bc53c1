# SPDX-License-Identifier: MIT
"""The action plug-ins of what works in one go: progress in time, and removal in slices."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible_collections.rhpds.litemaas.plugins.action import credentials, manifests
from ansible_collections.rhpds.litemaas.plugins.plugin_utils import _progress_action

TEXT = "apiVersion: v1\nkind: Secret\n---\napiVersion: v1\nkind: Service\n  kind: inner\n"


class Scene:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, plugin: ModuleType, **args: Any) -> None:
        self.said: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = [{"changed": True}]
        self.seconds = 0.0
        self.task = MagicMock(args=args, no_log=False)
        self.plugin = plugin.ActionModule(
            self.task, MagicMock(), MagicMock(), MagicMock(), MagicMock(), MagicMock()
        )
        monkeypatch.setattr(self.plugin, "_execute_module", self.execute)
        monkeypatch.setattr(_progress_action.ActionBase, "run", lambda *_args: {})
        monkeypatch.setattr(_progress_action.display, "display", self.said.append)
        monkeypatch.setattr(_progress_action, "LINE_EVERY", 0.6)

    def execute(self, **call: Any) -> dict[str, Any]:
        self.sent.append(call)
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            time.sleep(0.01)
        return dict(self.answers[len(self.sent) - 1])

    def run(self) -> dict[str, Any]:
        return self.plugin.run(task_vars={})


@pytest.mark.parametrize(
    ("plugin", "args", "line"),
    [
        (manifests, {"manifests": TEXT}, "litemaas: applying 2 objects; 0 s"),
        (
            credentials,
            {"instances": [{}, {}]},
            "litemaas: namespaces and credentials of 2 instances; 0 s",
        ),
    ],
)
def test_what_takes_long_says_so(
    monkeypatch: pytest.MonkeyPatch, plugin: ModuleType, args: dict[str, Any], line: str
) -> None:
    scene = Scene(monkeypatch, plugin, **args)
    assert scene.run() == {"changed": True}
    assert scene.said == []
    assert scene.sent[0]["module_args"] == args
    scene.seconds = 0.5
    scene.answers *= 2
    scene.run()
    assert scene.said[0] == line


def test_a_task_with_no_log_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, credentials, instances=[{}])
    scene.task.no_log, scene.seconds = True, 0.5
    scene.run()
    assert scene.said == []


def test_removal_goes_in_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(monkeypatch, manifests, state="absent", selector={"a": "b"})
    scene.answers = [
        {"changed": False, "slice": "x", "progress": "1 of 2"},
        {"changed": True, "progress": "2 of 2"},
    ]
    assert scene.run() == {"changed": True}
    assert scene.said == ["1 of 2", "2 of 2"]
    assert [call["module_name"] for call in scene.sent] == ["rhpds.litemaas.manifests"] * 2
