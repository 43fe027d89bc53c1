# SPDX-License-Identifier: MIT
"""The sandbox image: one static program."""

from __future__ import annotations

import os
from pathlib import Path

from lablib import prerequisites

from .builder import SOURCES, ImageSpec, LayerSpec, Workspace
from .host import run
from .oci import Runtime


def _fill(work: Workspace) -> list[str]:
    compiler = {"gcc": "gcc", "/usr/include/stdlib.h": "libc6-dev"}
    prerequisites.ensure(compiler, work.report, root=os.geteuid() == 0)
    run(
        ["gcc", "-Os", "-Wall", "-Wextra", "-Werror", "-static", "-s", "-Wl,--build-id=none"]
        + ["-o", str(work.root / "pause"), str(SOURCES / "pause" / "pause.c")],
        what="compiling pause",
        log=work.log,
    )
    return ["pause"]


IMAGE = ImageSpec(
    reference="registry.k8s.io/pause:3.10",
    layer=LayerSpec(
        name="pause",
        takes="1 s",
        inputs=(SOURCES / "pause", Path(__file__)),
        fill=_fill,
    ),
    runtime=Runtime(entrypoint=("/pause",), user="65535:65535"),
)
