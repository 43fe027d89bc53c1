# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the events of a namespace say about one object.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

# The event correlator's and the controllers' own introductions, which say nothing.
_PREFIX = re.compile(
    r"^(\(combined from similar events\): )?"
    r"(Error creating: |create \w+ \S+ (for Pod \S+ )?in StatefulSet \S+ failed error: )?"
)


def newest(
    events: Iterable[Mapping[str, Any]], obj: Mapping[str, Any], *reasons: str
) -> Mapping[str, Any]:
    """The last event about *obj* with one of *reasons*, or an empty mapping.

    The uid decides, not the name: ``postgres-0`` of an hour ago is another pod.
    """
    uid = obj["metadata"].get("uid")
    found = [
        event
        for event in events
        if event.get("reason") in reasons and event.get("involvedObject", {}).get("uid") == uid
    ]
    return max(found, key=_seen, default={})


def message(events: Iterable[Mapping[str, Any]], obj: Mapping[str, Any], *reasons: str) -> str:
    """That event's message without the controllers' introductions; empty without such an event."""
    return _PREFIX.sub("", newest(events, obj, *reasons).get("message") or "").strip()


def _seen(event: Mapping[str, Any]) -> str:
    """When an event last happened: RFC 3339 in UTC, so that text order is time order."""
    return (
        (event.get("series") or {}).get("lastObservedTime")
        or event.get("lastTimestamp")
        or event.get("eventTime")
        or event.get("metadata", {}).get("creationTimestamp")
        or ""
    )
