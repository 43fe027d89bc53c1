# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what explains an instance that stands still: events, its namespace, the end of a log.

Internal to rhpds.litemaas: no stable interface for other collections.

Everything here is optional: whoever may not read it gets a reason with fewer words.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _resources
from ansible_collections.rhpds.litemaas.plugins.module_utils import _verdict as v
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._observation import Observation
from ansible_collections.rhpds.litemaas.plugins.module_utils._redaction import Redactor
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_instance import (
    FRONTEND,
    Details,
    instance_verdicts,
)

_LOG_LINES = 30
_LOG_BYTES = 16384
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
# Last words that every failure of a server has and that explain none.
_EPILOGUE = re.compile(
    r"Application startup failed\. Exiting\.$|^\s*\^+\s*$|^Process \S+ exited|^[\W_]*$|"
    r"^(INFO|DEBUG)\b.*(Shutting down|Finished server process|Waiting for application)"
)
_TELLING = re.compile(
    r"error|exception|fatal|panic|denied|refused|failed|cannot|could not|unable|no such", re.I
)


def explained(
    client: Client,
    instance: Mapping[str, Any],
    verdicts: list[v.Verdict],
    seen: Observation,
    redact: Redactor,
) -> v.Verdict:
    """The telling verdict of one instance, made with its events and the end of a log."""
    found = details(client, instance, verdicts)
    verdict = v.worst(instance_verdicts(instance, seen, found))
    reason = redact(verdict.reason)
    if verdict.log:
        line = last_line(client, instance["namespace"], verdict.log, redact)
        reason += f"; last log line: {line}" if line else ""
    return verdict.with_reason(reason)


def details(client: Client, instance: Mapping[str, Any], verdicts: list[v.Verdict]) -> Details:
    """Read what may explain *verdicts*: events, the namespace, and who else has the host."""
    home = instance["namespace"]
    events = _optional(client.list, _resources.collection_path("v1", "Event", home)) or []
    # A namespace that is being deleted looks like a slow start for seconds: always worth a GET.
    namespace, namespace_read = None, False
    path = _resources.object_path(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": home}}
    )
    with contextlib.suppress(ApiError):
        namespace, namespace_read = client.find(path), True
    holder = frontend_holder = ""
    for verdict in verdicts:
        if "HostAlreadyClaimed" not in verdict.reason:
            continue
        if verdict.component.startswith(FRONTEND):
            frontend_holder = host_holder(client, {**instance, **(instance["frontend"] or {})})
        else:
            holder = host_holder(client, instance)
    return Details(tuple(events), namespace, namespace_read, holder, frontend_holder)


def host_holder(client: Client, instance: Mapping[str, Any]) -> str:
    """The oldest Route of another namespace with the instance's host: ``namespace/name``.

    OpenShift's API selects by ``spec.host``; where Routes are plain custom resources it cannot.
    """
    path = _resources.collection_path("route.openshift.io/v1", "Route")
    host = instance.get("host", "")
    found = _optional(client.list, path, field_selector=f"spec.host={host}")
    if found is None:
        found = _optional(client.list, path) or []
    others = [
        route["metadata"]
        for route in found
        if route.get("spec", {}).get("host") == host
        and route["metadata"]["namespace"] != instance["namespace"]
    ]
    oldest = min(others, key=lambda meta: meta.get("creationTimestamp", ""), default=None)
    return f"{oldest['namespace']}/{oldest['name']}" if oldest else ""


def last_line(client: Client, namespace: str, source: v.LogSource, redact: Redactor) -> str:
    """The most telling of the last lines of a container's log; empty when there is none."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": source.pod, "namespace": namespace},
    }
    query: dict[str, str | int | bool] = {
        "container": source.container,
        "previous": source.previous,
        "tailLines": _LOG_LINES,
        "limitBytes": _LOG_BYTES,
    }
    try:
        text = client.text(f"{_resources.object_path(pod)}/log", **query)
    except ApiError:
        return ""
    return v.brief(redact(telling_line(text)))


def telling_line(log: str) -> str:
    """The last line that names a failure, else the last that says anything."""
    lines = [_ANSI.sub("", line).strip() for line in log.splitlines()]
    lines = [line for line in lines if line and not _EPILOGUE.search(line)]
    for line in reversed(lines):
        if _TELLING.search(line):
            return line
    return lines[-1] if lines else ""


def _optional(read: Any, path: str, **query: str) -> Any:
    """What *read* returns, or None where that is refused or the server does not know how."""
    try:
        return read(path, **query)
    except ApiError as error:
        if 400 <= error.status < 500:
            return None
        raise
