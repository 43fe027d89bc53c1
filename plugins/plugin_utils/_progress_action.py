# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of progress while a module works, for the action plug-ins that run one.

Internal to rhpds.litemaas: no stable interface for other collections.

A module cannot print. One that waits is called in slices, and says between them how far it is; of
one that works in one go, no more can be said than how long it does so.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.rhpds.litemaas.plugins.module_utils._packed import pack
from ansible_collections.rhpds.litemaas.plugins.module_utils._slice import Slice

LINE_EVERY = 10.0  # seconds from one line of progress to the next, at most
LEAST, FIRST, MOST = 2.0, 6.0, 8.0  # seconds of a slice

display = Display()


class ProgressAction(ActionBase):
    """No request is sent from here: everything that talks to a cluster is in the module."""

    MODULE = ""

    def in_slices(
        self, args: dict[str, Any], first: str, task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        """Run the module until it is done, slice by slice. ``first``: the line before any.

        What it returns as ``slice`` goes to the next one, after ``rest`` seconds if it wants some.
        """
        began, state, seconds = time.monotonic(), "", FIRST
        with Progress(first, self._task.no_log) as progress:
            while True:
                elapsed = time.monotonic() - began
                part = Slice(elapsed + seconds, elapsed, state).dump()
                result = self._execute_module(
                    module_name=self.MODULE,
                    module_args={**args, "_slice": part},
                    task_vars=task_vars,
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
                time.sleep(result.get("rest", 0.0))

    def in_one_go(
        self, args: dict[str, Any], line: str, task_vars: dict[str, Any] | None, packed: str
    ) -> dict[str, Any]:
        """Run the module once, and say that it still works where that takes long.

        *packed*: the option that is a long text, if it is given.
        """
        text = args.get(packed)
        if isinstance(text, str):
            args = {**args, packed: pack(text)}
        with Progress(line, self._task.no_log, "{line}; {seconds:.0f} s"):
            result = self._execute_module(
                module_name=self.MODULE, module_args=args, task_vars=task_vars
            )
        shown = result.get("invocation", {}).get("module_args", {})
        if isinstance(text, str) and shown.get(packed) == args[packed]:
            shown[packed] = text  # it is not hidden
        return result


class Progress:
    """Prints lines; and the last one again, as ``again`` has it, where none came for too long."""

    def __init__(
        self, first: str, quiet: bool, again: str = "{line} ({seconds:.0f} s ago)"
    ) -> None:
        self._line, self._quiet, self._again = first, quiet, again
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
                display.display(self._again.format(line=self._line, seconds=ago))

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
