# SPDX-License-Identifier: MIT
"""Writes when each task began, and the end, into the file BENCH_TASKS: a JSON list of [seconds since 1970, action, name]."""

from __future__ import annotations

import json
import os
import time

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: bench_tasks
type: aggregate
short_description: When each task began
description: Writes when each task began, for the benchmark.
"""


class CallbackModule(CallbackBase):
    """Keeps the times and writes them at the end, so that it costs nothing in between."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "bench_tasks"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._tasks: list[tuple[float, str, str]] = []

    def v2_playbook_on_task_start(self, task, is_conditional) -> None:
        self._tasks.append((time.time(), str(task.action), str(task.get_name())))

    def v2_playbook_on_stats(self, stats) -> None:
        self._tasks.append((time.time(), "", ""))
        with open(os.environ["BENCH_TASKS"], "w", encoding="utf-8") as stream:
            json.dump(self._tasks, stream)
