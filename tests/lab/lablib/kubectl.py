# SPDX-License-Identifier: MIT
"""kubectl as the lab's own tools call it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lablib import commands
from lablib.errors import LabError


@dataclass(frozen=True)
class Kubectl:
    """Call it with arguments and, for `-f -`, standard input; returns standard output, raises LabError."""

    program: Path
    kubeconfig: Path

    def __call__(self, arguments: Sequence[str], stdin: str | None = None) -> str:
        return commands.run(
            [str(self.program), f"--kubeconfig={self.kubeconfig}", *arguments], stdin=stdin
        )

    def succeeds(self, *arguments: str) -> bool:
        try:
            self(arguments)
        except LabError:
            return False
        return True
