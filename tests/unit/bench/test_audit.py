# SPDX-License-Identifier: MIT
"""Reading the API server's audit log, which begins a new file when one is full."""

from __future__ import annotations

import json
from pathlib import Path

from benchlib.audit import Audit


def line(uri: str, agent: str = "rhpds.litemaas") -> str:
    entry = {
        "verb": "patch",
        "requestURI": uri,
        "userAgent": agent,
        "stageTimestamp": "2026-11-24T15:00:10.500000Z",
        "responseStatus": {"code": 201},
    }
    return json.dumps(entry, separators=(",", ":")) + "\n"


def test_only_what_came_since_the_mark_and_is_ours(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    path.write_text(line("/old"))
    audit = Audit(path)
    with path.open("a") as stream:
        stream.write(line("/new") + line("/other", "kubectl") + '{"half')
    found = audit.requests("rhpds.litemaas")
    assert [(each.uri, each.status, each.answered) for each in found] == [
        ("/new", 201, 1795532410.5)
    ]


def test_over_the_end_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.log"
    (tmp_path / "audit-2026-11-24T14-00-00.000.log").write_text(line("/older"))
    path.write_text(line("/old"))
    audit = Audit(path)
    with path.open("a") as stream:
        stream.write(line("/one"))
    path.rename(tmp_path / "audit-2026-11-24T15-00-00.000.log")
    path.write_text(line("/two"))
    path.rename(tmp_path / "audit-2026-11-24T15-01-00.000.log")
    path.write_text(line("/three"))
    assert [each.uri for each in audit.requests("rhpds.litemaas")] == ["/one", "/two", "/three"]
