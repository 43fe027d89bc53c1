# SPDX-License-Identifier: MIT
"""Stand-ins for LiteMaaS' backend and frontend: Python programs behind the interface of the real images."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from . import pypi
from .base import PATH, PYTHON_LAYER
from .builder import SOURCES, ImageSpec, LayerSpec, Workspace
from .oci import Runtime

_SOURCE = SOURCES / "litemaas"
_PACKAGES = "app/packages"
_NGINX = "opt/app-root/etc/nginx.default.d"


def _program(work: Workspace, name: str) -> str:
    target = work.root / "usr/local/bin" / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(_SOURCE / f"{name}.py", target)
    target.chmod(0o755)
    return f"usr/local/bin/{name}"


def _backend(work: Workspace) -> Sequence[str]:
    (work.root / "app").mkdir(exist_ok=True)
    pypi.pip(
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
        "--target",
        work.root / _PACKAGES,
        "--requirement",
        _SOURCE / "requirements.txt",
        scratch=work.scratch,
        log=work.log,
        what="installing the backend's packages",
    )
    return [_PACKAGES, _program(work, "backend")]


def _frontend(work: Workspace) -> Sequence[str]:
    (work.root / _NGINX).mkdir(parents=True)
    (work.root / "tmp").mkdir(exist_ok=True)
    shutil.copy(_SOURCE / "nginx.conf.template", work.root / "tmp")
    return [_NGINX, "tmp/nginx.conf.template", _program(work, "frontend")]


def _image(name: str, layer: LayerSpec, **environment: str) -> ImageSpec:
    return ImageSpec(
        reference=f"quay.io/rh-aiservices-bu/litemaas-{name}:0.2.0",
        layer=layer,
        runtime=Runtime(
            cmd=(f"/usr/local/bin/{name}",),
            user="1001",
            workdir="/",
            expose=("8080/tcp",),
            env={"PATH": PATH, "PYTHONUNBUFFERED": "1", **environment},
        ),
    )


_layer = partial(LayerSpec, below=(PYTHON_LAYER,))
BACKEND = _image(
    "backend",
    _layer(
        name="litemaas-backend",
        takes="about 5 s",
        inputs=(
            *(_SOURCE / name for name in ("backend.py", "requirements.txt")),
            *(Path(name) for name in (__file__, str(pypi.__file__))),
        ),
        fill=_backend,
    ),
    PYTHONPATH=f"/{_PACKAGES}",
)
FRONTEND = _image(
    "frontend",
    _layer(
        name="litemaas-frontend",
        takes="1 s",
        inputs=(
            *(_SOURCE / name for name in ("frontend.py", "nginx.conf.template")),
            Path(__file__),
        ),
        fill=_frontend,
        owners={"opt/app-root": 1001},
        group_writable=(_NGINX,),
    ),
)
