# SPDX-License-Identifier: MIT
"""The range of user ids that OpenShift gives to each namespace, a moment after it was made."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable

from lablib.controllers.api import Api, ApiError, Object, path
from lablib.controllers.mirror import Key, Mirror

UID_RANGE = "openshift.io/sa.scc.uid-range"
GROUPS = "openshift.io/sa.scc.supplemental-groups"
LABEL = "openshift.io/sa.scc.mcs"  # of SELinux; nothing in the lab reads it

SIZE = 10_000  # ids in a range
FIRST, LAST = 1_000_000_000, 1_999_999_999  # OpenShift's default, 100,000 ranges
RESERVED = 65  # ranges that the namespaces of a new cluster have taken already
CATEGORIES = 1024  # of SELinux: c0 … c1023


def taken(namespaces: Iterable[Object]) -> set[int]:
    """The numbers of the ranges that these namespaces have; a range not made by us counts by where it begins."""
    found = set()
    for namespace in namespaces:
        text = (namespace["metadata"].get("annotations") or {}).get(UID_RANGE, "")
        start = text.replace("-", "/").split("/")[0]
        if start.isdigit() and FIRST <= int(start) <= LAST:
            found.add((int(start) - FIRST) // SIZE)
    return found


def free(used: set[int]) -> int:
    """The lowest free number."""
    number = RESERVED
    while number in used:
        number += 1
    if FIRST + number * SIZE > LAST:
        raise ValueError("no range of user ids is left")
    return number


def range_annotations(number: int) -> dict[str, str]:
    """The three annotations of range `number`.

    >>> range_annotations(65)[UID_RANGE]
    '1000650000/10000'
    """
    block = f"{FIRST + number * SIZE}/{SIZE}"
    return {LABEL: f"s0:{_categories(number)}", GROUPS: block, UID_RANGE: block}


def _categories(number: int) -> str:
    """The pair of categories of this number: c1,c0; c2,c0; c2,c1; c3,c0; … as OpenShift counts them."""
    high = 1
    while number >= high:
        number -= high
        high += 1
    return f"c{high % CATEGORIES},c{number}"


class UidRanges:
    """Annotates the namespaces that have no range."""

    kinds = ("Namespace",)

    def __init__(self, api: Api, namespaces: Mirror) -> None:
        self._api = api
        self._namespaces = namespaces
        self._lock = threading.Lock()
        self._used: set[int] = set()  # ranges, those of deleted namespaces included

    def due(self, kind: str, key: Key) -> tuple[Key, float]:
        return key, random.uniform(0.5, 1.0)

    def reconcile(self, kind: str, key: Key) -> None:
        namespace = self._namespaces.get(key)
        if namespace is None:
            return
        with self._lock:
            # All of them once: with every namespace, a thousand would be a million looks.
            known = [namespace] if self._used else self._namespaces.items()
            self._used |= taken(known)
            if UID_RANGE in (namespace["metadata"].get("annotations") or {}):
                return
            number = free(self._used)
            self._used.add(number)
        body = {
            "metadata": {
                "annotations": range_annotations(number),
                "resourceVersion": namespace["metadata"]["resourceVersion"],
            }
        }
        try:
            self._api.patch(path("Namespace", name=key[1]), body)
        except ApiError:
            with self._lock:
                self._used.discard(number)
            raise
