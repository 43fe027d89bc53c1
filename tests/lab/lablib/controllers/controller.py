# SPDX-License-Identifier: MIT
"""What a controller is, and how all of them are run: mirrors feed a queue, workers take from it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from lablib.controllers.api import ApiError
from lablib.controllers.mirror import Key, Listener, Mirror
from lablib.controllers.workqueue import WorkQueue

log = logging.getLogger("controllers")
WORKERS = 4


class Controller(Protocol):
    """Looks at one object at a time and brings the cluster closer to what it should be.

    `reconcile` may be called at any time, for objects that are long gone, and again and again: it looks at the state, not
    at the event. An ApiError (another writer was faster, the API server is away) means: again later.
    """

    @property
    def kinds(self) -> Sequence[str]:
        """The kinds whose objects it is called for."""

    def due(self, kind: str, key: Key) -> tuple[Key, float]:
        """After an event of this object: what to call `reconcile` for, and in how many seconds."""

    def reconcile(self, kind: str, key: Key) -> None: ...


class Task(NamedTuple):
    """One thing for a worker to do: controllers[number].reconcile(kind, key)."""

    number: int
    kind: str
    key: Key


class Controllers:
    """The running controllers."""

    def __init__(self, mirrors: Mapping[str, Mirror], controllers: Sequence[Controller]) -> None:
        self._queue: WorkQueue[Task] = WorkQueue()
        self._controllers = controllers
        for kind, mirror in mirrors.items():
            for index, controller in enumerate(controllers):
                if kind in controller.kinds:
                    mirror.listen(self._listener(index, controller))

    def _listener(self, index: int, controller: Controller) -> Listener:
        def listen(kind: str, key: Key) -> None:
            what, delay = controller.due(kind, key)
            self._queue.add(Task(index, kind, what), delay)

        return listen

    def start(self) -> None:
        for number in range(WORKERS):
            threading.Thread(target=self._work, name=f"worker {number}", daemon=True).start()

    def _work(self) -> None:
        while True:
            task = self._queue.get()
            try:
                self._controllers[task.number].reconcile(task.kind, task.key)
            except Exception as error:
                delay = self._queue.retry(task)
                name = f"{task.kind} {'/'.join(filter(None, task.key))}"
                if isinstance(error, ApiError):
                    log.info("%s: %s; again in %.1f s", name, error, delay)
                else:
                    log.exception("%s: again in %.1f s", name, delay)
            else:
                self._queue.done(task)
