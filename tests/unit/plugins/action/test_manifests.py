# SPDX-License-Identifier: MIT
"""The action plug-ins of what works in one go: progress in time, and removal in slices."""

from __future__ import annotations

import time
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.rhpds.litemaas.plugins.action import credentials, manifests
from ansible_collections.rhpds.litemaas.plugins.module_utils import _credentials
from ansible_collections.rhpds.litemaas.plugins.module_utils._packed import unpack
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
            {"instances": [{}, {}], "namespaces": TEXT},
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
    sent = scene.sent[0]["module_args"]
    (text,) = (sent[name] for name in args if name != "instances")
    assert len(text) < len(TEXT) + 60 and unpack(text) == TEXT
    assert len(sent.get("instances", [])) == len(args.get("instances", []))
    scene.seconds = 0.5
    scene.answers *= 2
    scene.run()
    assert scene.said[0] == line


def test_a_module_gets_of_an_instance_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {"name": "user1", "namespace": "a1", "labels": {"a": "b"}, "url": "https://u"}
    parts = {"redis": {"image": "x"}, "pgbouncer": None, "backend": {"login": "y"}}
    whole |= {**parts, "litellm": {"image": "z", "ca_bundle": True}}
    scene = Scene(monkeypatch, credentials, instances=[whole])
    scene.run()
    (sent,) = scene.sent[0]["module_args"]["instances"]
    assert _credentials.instances([sent]) == _credentials.instances([whole])
    assert "image" not in str(sent) and "url" not in sent


def test_what_is_no_list_of_instances_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (None, "user1", [1]):
        with pytest.raises(AnsibleActionFail, match="a list of dictionaries"):
            Scene(monkeypatch, credentials, instances=wrong).run()


def test_the_text_is_shown_as_it_was_given_unless_it_is_hidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scene = Scene(monkeypatch, credentials, instances=[], namespaces=TEXT)
    monkeypatch.setattr(
        scene.plugin,
        "_execute_module",
        lambda **call: {"invocation": {"module_args": dict(call["module_args"])}},
    )
    assert scene.run()["invocation"]["module_args"]["namespaces"] == TEXT
    scene = Scene(monkeypatch, manifests, manifests=TEXT)
    scene.answers = [{"invocation": {"module_args": {"manifests": "VALUE_SPECIFIED"}}}]
    assert scene.run()["invocation"]["module_args"]["manifests"] == "VALUE_SPECIFIED"


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
