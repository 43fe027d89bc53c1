# SPDX-License-Identifier: MIT
"""A local copy of all objects of one kind, kept up to date by list and watch."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from urllib.parse import quote

from lablib.controllers.api import Api, ApiError, Object, path

log = logging.getLogger("mirror")
Key = tuple[str, str]  # (namespace or "", name)
Listener = Callable[[str, Key], None]  # (kind, key): this object appeared, changed or went


class Mirror:
    """The copy; `items()` is a snapshot. Each list after the first is a resync: every listener hears of every object again.

    The API server may be away at any time: the copy stays as it was, and the listing is tried again for ever.
    """

    def __init__(self, api: Api, kind: str, field: str = "") -> None:
        """`field`: only what this field selector selects, such as `spec.nodeName=node1`."""
        self.kind = kind
        self.listed = threading.Event()
        self._api = api
        self._path = path(kind) + (f"?fieldSelector={quote(field, safe='')}" if field else "")
        self._lock = threading.Lock()
        self._items: dict[Key, Object] = {}
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Call before `start`."""
        self._listeners.append(listener)

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"mirror {self.kind}", daemon=True).start()

    def get(self, key: Key) -> Object | None:
        with self._lock:
            return self._items.get(key)

    def items(self) -> list[Object]:
        """All objects, in the order of namespace and name; not to be changed."""
        with self._lock:
            return [self._items[key] for key in sorted(self._items)]

    def _run(self) -> None:
        silent = False
        while True:
            try:
                self._watch(self._list())
                silent = False
            except ApiError as error:
                if not silent:
                    log.info("%s: %s; trying again", self.kind, error)
                silent = True
                time.sleep(random.uniform(0.5, 1.5))
            except Exception:
                log.exception("%s: trying again", self.kind)
                time.sleep(5)

    def _list(self) -> str:
        answer = self._api.get(self._path)
        items = {key_of(item): item for item in answer.get("items", [])}
        with self._lock:
            gone = set(self._items) - set(items)
            self._items = items
        self.listed.set()
        for key in [*gone, *items]:
            self._tell(key)
        return str(answer["metadata"]["resourceVersion"])

    def _watch(self, version: str) -> None:
        for event, item in self._api.watch(self._path, version):
            if event == "BOOKMARK":
                continue
            key = key_of(item)
            with self._lock:
                if event == "DELETED":
                    self._items.pop(key, None)
                else:
                    self._items[key] = item
            self._tell(key)

    def _tell(self, key: Key) -> None:
        for listener in self._listeners:
            listener(self.kind, key)


def key_of(item: Object) -> Key:
    return item["metadata"].get("namespace", ""), item["metadata"]["name"]
