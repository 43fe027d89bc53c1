# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module readiness in slices and prints a line of progress between them."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.rhpds.litemaas.plugins.module_utils._slice import Slice

MODULE = "rhpds.litemaas.readiness"
# What the module knows of an instance; the rest of the plan need not travel to it at every slice.
KEYS = ("name", "namespace", "labels", "expose", "host", "url")
LINE_EVERY = 10.0  # seconds from one line of progress to the next, at most
LEAST, FIRST, MOST = 2.0, 6.0, 8.0  # seconds of a slice

display = Display()


class ActionModule(ActionBase):
    """No request is sent from here: everything that talks to a cluster is in the module."""

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        instances = self._task.args.get("instances")
        if not isinstance(instances, list) or not all(isinstance(i, dict) for i in instances):
            raise AnsibleActionFail("instances must be a list of dictionaries, as plan returns it")
        args = {**self._task.args, "instances": [_known(instance) for instance in instances]}
        began, state, seconds = time.monotonic(), "", FIRST
        with Progress(_waiting(len(instances)), self._task.no_log) as progress:
            while True:
                elapsed = time.monotonic() - began
                args["_slice"] = Slice(elapsed + seconds, elapsed, state).dump()
                result = self._execute_module(
                    module_name=MODULE, module_args=args, task_vars=task_vars
                )
                result.get("invocation", {}).get("module_args", {}).pop("_slice", None)
                progress.say(result.pop("progress", ""))
                if "slice" not in result:
                    return result
                state = result["slice"]
                # What starting a module costs here is time without news, and the next time it may
                # cost twice as much: machines that deploy are busy.
                cost = time.monotonic() - began - elapsed - seconds
                seconds = min(max(LINE_EVERY - 2 * cost, LEAST), MOST)


class Progress:
    """Prints lines; and the last one again where a slice brings none for too long."""

    def __init__(self, first: str, quiet: bool) -> None:
        self._line, self._quiet = first, quiet
        self._said, self._over = threading.Event(), False
        self._watch = threading.Thread(target=self._repeat, daemon=True)

    def say(self, line: str) -> None:
        if line and not self._quiet:
            self._line = line
            display.display(line)
            self._said.set()

    def _repeat(self) -> None:
        ago = 0.0
        while not self._over:
            if self._said.wait(LINE_EVERY - 0.5):
                self._said.clear()
                ago = 0.0
            elif not self._over:
                ago += LINE_EVERY - 0.5
                display.display(f"{self._line} ({ago:.0f} s ago)")

    def __enter__(self) -> Progress:
        if not self._quiet:
            self._watch.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._over = True
        self._said.set()
        if self._watch.is_alive():
            self._watch.join(timeout=1)


def _known(instance: dict[str, Any]) -> dict[str, Any]:
    return {key: instance[key] for key in KEYS if key in instance}


def _waiting(count: int) -> str:
    return f"litemaas: waiting for {count} instance{'s' if count != 1 else ''}"
