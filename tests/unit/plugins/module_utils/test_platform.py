# SPDX-License-Identifier: MIT
"""What is read from the cluster's own description, whatever part of it is missing or refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _platform
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

CASES = yaml.safe_load((Path(__file__).parent / "fixtures" / "platform.yml").read_text())


class FakeClient:
    """Answers from a case, and keeps what was asked."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self._answers = {_platform.PATHS[name]: answer for name, answer in answers.items()}
        self.asked: list[str] = []
        self.connection = SimpleNamespace(host="https://127.0.0.1:6443")

    def get(self, path: str) -> dict[str, Any]:
        self.asked.append(path)
        answer = self._answers.get(path, 404)
        if isinstance(answer, int):
            raise ApiError("refused", status=answer)
        return answer

    def each(self, function: Any, items: Any) -> list[Any]:
        results = []
        for item in items:
            try:
                results.append(function(item))
            except ApiError as error:
                results.append(error)
        return results


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_read(case: dict[str, Any]) -> None:
    client = FakeClient(case["answers"])
    found = _platform.read(client, cloud_provider=case.get("cloud_provider", ""))  # type: ignore[arg-type]
    assert {key: getattr(found, key) for key in case["want"]} == case["want"]
    assert len(found.notes) == len(case["notes"]), found.notes
    for note, words in zip(found.notes, case["notes"], strict=True):
        assert words in note


def test_plain_kubernetes_costs_two_requests() -> None:
    client = FakeClient({"version": {}, "groups": {"groups": []}})
    _platform.read(client)  # type: ignore[arg-type]
    assert client.asked == ["/version", "/apis"]


@pytest.mark.parametrize("status", [0, 401, 503])
def test_an_unreachable_cluster_is_an_error(status: int) -> None:
    with pytest.raises(ApiError):
        _platform.read(FakeClient({"version": status}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("aws", "AWS"),
        (" VSPHERE ", "VSphere"),
        ("None", "None"),
        ("none", "None"),
        ("ec2", "AWS"),
        ("openshift_cnv", "KubeVirt"),
        ("Moonbase", "Moonbase"),
        ("", ""),
    ],
)
def test_canonical(given: str, wanted: str) -> None:
    assert _platform.canonical(given) == wanted
