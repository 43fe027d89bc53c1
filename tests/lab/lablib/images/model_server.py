# SPDX-License-Identifier: MIT
"""The lab's own model server: one Python file on Debian's Python."""

from __future__ import annotations

import shutil
from pathlib import Path

from .base import PATH, PYTHON_LAYER
from .builder import SOURCES, ImageSpec, LayerSpec, Workspace
from .oci import Runtime

_SOURCE = SOURCES / "model-server"
_PROGRAM = "usr/local/bin/model-server"


def _fill(work: Workspace) -> list[str]:
    (work.root / "usr/local/bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(_SOURCE / "model_server.py", work.root / _PROGRAM)
    (work.root / _PROGRAM).chmod(0o755)
    return [_PROGRAM]


IMAGE = ImageSpec(
    reference="localhost/litemaas-lab/model-server:1",
    layer=LayerSpec(
        name="model-server",
        takes="1 s",
        inputs=(_SOURCE / "model_server.py", Path(__file__)),
        below=(PYTHON_LAYER,),
        fill=_fill,
    ),
    runtime=Runtime(
        entrypoint=(f"/{_PROGRAM}",),
        user="65534",
        workdir="/",
        expose=("8080/tcp",),
        env={"PATH": PATH, "PYTHONUNBUFFERED": "1"},
    ),
)
