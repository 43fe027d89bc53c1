# SPDX-License-Identifier: MIT
"""LiteLLM's real proxy behind the interface of the `litellm-non_root` image.

The proxy, its dependencies and its web UI are PyPI's. Prisma's native engines, which the real image has, are in no
package registry: their places are taken by Prisma's WebAssembly engine and a small CLI, at the paths where the real
image has them, so that what hides them there (an emptyDir over /app/.cache) breaks the gateway here as well.

Two differences are on purpose. Python is compiled beforehand, which the real image's build does not do: a pod with
PYTHONPYCACHEPREFIX=/nonexistent starts as slowly, and holds as much memory, as one of the real image. And the console script collects
garbage from a thread, without which Debian's older Python crashes now and then.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from lablib import prerequisites

from . import base, pypi
from .base import BASE, NODE_LAYER, PATH, PYTHON, PYTHON_LAYER
from .builder import SOURCES, ImageSpec, LayerSpec, Workspace
from .host import BuildError, Report, run
from .oci import Runtime

_SOURCE = SOURCES / "litellm"
_VENV = "app/.venv"
_SITE = f"{_VENV}/lib/{PYTHON}/site-packages"
_CACHE = "app/.cache"
_PRISMA = f"{_CACHE}/prisma-python/binaries"
_ENGINE = f"{_PRISMA}/node_modules/prisma/query-engine-debian-openssl-3.0.x"
_SCHEMA = "app/schema.prisma"
_UI = "var/lib/litellm/ui"
_ASSETS = "var/lib/litellm/assets"

# Pinned like the rest but left out: 210 MB that the proxy imports only for what the lab does not do.
LEFT_OUT = {
    "polars": "export of spend to FinOps services",
    "polars-runtime-32": "the same",
    "granian": "another web server, chosen by a flag",
    "pyroscope-io": "profiler",
    "hf-xet": "downloads from a model hub",
}
# Tests, what only compilers and type checkers read, and console scripts for this machine's Python.
_UNWANTED_FILES = re.compile(r"/tests?$|\.(pyi|c|h|pxd|pyx)$|^(bin|cffi-gen-src)$")
# Packages whose folders of such names are part of the program.
_NEEDED = re.compile(r"/(botocore|litellm|prisma|mcp|openai)/")


def _packages(work: Workspace, version: str) -> None:
    pins = work.scratch / "requirements.txt"
    lines = (_SOURCE / version / "constraints.txt").read_text().splitlines()
    wanted = [
        line
        for line in lines
        if line and not line.startswith("#") and line.partition("==")[0] not in LEFT_OUT
    ]
    pins.write_text("\n".join(wanted) + "\n")
    site = work.root / _SITE
    pypi.pip(
        "install",
        "--quiet",
        "--no-deps",
        "--no-compile",
        "--target",
        site,
        "--requirement",
        pins,
        scratch=work.scratch,
        log=work.log,
        what=f"installing {len(wanted)} Python packages",
    )
    for path in list(_unwanted(site)):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _unwanted(site: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(site):
        for name in [*folders, *files]:
            relative = os.path.relpath(os.path.join(folder, name), site)
            if _UNWANTED_FILES.search(relative) and not _NEEDED.search(f"/{relative}"):
                yield Path(folder) / name
                if name in folders:
                    folders.remove(name)


def _virtual_environment(work: Workspace) -> None:
    """What `python3 -m venv` would write: the interpreter is Debian's, the packages are the environment's own."""
    venv = work.root / _VENV
    (venv / "bin").mkdir()
    for name, target in {"python": f"/usr/bin/{PYTHON}", "python3": "python"}.items():
        (venv / "bin" / name).symlink_to(target)
    (venv / "pyvenv.cfg").write_text(
        "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11\n"
    )


def _engine(work: Workspace) -> None:
    """Prisma's engine and CLI, where the real image's `prisma generate` leaves its own."""
    prerequisites.ensure({"npm": "npm"}, work.report, root=os.geteuid() == 0)
    target = work.root / _PRISMA
    target.mkdir(parents=True)
    shutil.copy(_SOURCE / "prisma" / "package.json", target)
    run(
        ["npm", "install", "--omit=dev", "--ignore-scripts", "--no-package-lock"]
        + ["--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"],
        what="installing Prisma's engine",
        log=work.log,
        cwd=target,
    )
    modules = target / "node_modules"
    _keep_engine_runtime(modules / "@prisma" / "client")
    shutil.copytree(_SOURCE / "prisma" / "lab-query-engine", modules / "lab-query-engine")
    engine = work.root / _ENGINE
    engine.parent.mkdir()
    engine.symlink_to("../lab-query-engine/query-engine")
    command = modules / ".bin" / "prisma"
    command.parent.mkdir(exist_ok=True)
    shutil.copy(_SOURCE / "prisma" / "prisma", command)
    (work.root / _VENV / "bin" / "prisma").symlink_to(f"/{_PRISMA}/node_modules/.bin/prisma")


def _keep_engine_runtime(client: Path) -> None:
    """Of the 20 engines and browsers' builds in @prisma/client, leave PostgreSQL's engine."""
    for path in client.iterdir():
        if path.name == "runtime":
            for engine in path.iterdir():
                if not engine.name.startswith("query_engine_bg.postgresql."):
                    engine.unlink()
        elif path.name not in ("package.json", "LICENSE"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _client(work: Workspace) -> None:
    """`prisma generate`: the Python client for LiteLLM's schema, rendered by its own generator."""
    site = work.root / _SITE
    schema = work.root / _SCHEMA
    shutil.copy(site / "litellm" / "proxy" / "schema.prisma", schema)
    modules = work.root / _PRISMA / "node_modules"
    document = run(
        # This machine's Node, which npm came with: Debian's in the image reads parts of itself from /usr/share.
        ["node", _SOURCE / "prisma" / "dmmf.js", schema],
        what="reading LiteLLM's database schema",
        log=work.log,
        env={"NODE_PATH": str(modules)},
    )
    dmmf = work.scratch / "dmmf.json"
    dmmf.write_text(document)
    base.python(
        work,
        _SOURCE / "prisma" / "generate.py",
        f"/{_SCHEMA}",
        dmmf,
        f"/{_ENGINE}",
        site / "prisma",
        what="generating the database client",
        path=(site,),
    )
    # Only the generation needs it.
    shutil.rmtree(modules / "@prisma" / "prisma-schema-wasm")


def _web_ui(work: Workspace) -> None:
    """The UI where the real image has it, each page as <route>/index.html. Links, not copies, of the package's files."""
    packaged = work.root / _SITE / "litellm" / "proxy" / "_experimental" / "out"
    ui = work.root / _UI
    shutil.copytree(packaged, ui, copy_function=os.link)
    for page in ui.glob("*.html"):
        if page.name != "index.html":
            folder = ui / page.stem
            folder.mkdir(exist_ok=True)
            page.rename(folder / "index.html")
    (ui / ".litellm_ui_ready").touch()
    assets = work.root / _ASSETS
    assets.mkdir()
    for logo in (work.root / _SITE / "litellm" / "proxy").glob("logo*"):
        os.link(logo, assets / logo.name)


def _fill(work: Workspace, version: str) -> list[str]:
    work.report("  installing Python packages, about 30 s")
    _packages(work, version)
    _virtual_environment(work)
    work.report("  adding Prisma's engine and the database client")
    _engine(work)
    _client(work)
    _web_ui(work)
    work.report("  compiling Python, about 20 s")
    base.compile_python(work, _SITE)
    (work.root / _CACHE / "npm").mkdir()
    files = base.copy(_SOURCE / "rootfs", work.root)
    return [_VENV, _CACHE, _SCHEMA, _UI, _ASSETS, *files]


def lock(report: Report, version: str) -> None:
    """Resolve a version's requirements.txt for the image's Python and write its constraints.txt.

    pip weighs conditions such as `python_version < "3.12"` by the Python that it runs on.
    """
    if f"python{sys.version_info[0]}.{sys.version_info[1]}" != PYTHON:
        raise BuildError(f"run this with {PYTHON}: the packages are resolved for that version")
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        text = pypi.pip(
            "install",
            "--quiet",
            "--dry-run",
            "--ignore-installed",
            "--report=-",
            "--target",
            scratch / "none",
            "--requirement",
            _SOURCE / version / "requirements.txt",
            scratch=scratch,
            log=scratch / "pip.log",
            what="resolving LiteLLM's packages",
        )
    found = {
        item["metadata"]["name"].lower().replace("_", "-"): item["metadata"]["version"]
        for item in json.loads(text)["install"]
    }
    lines = [
        "# SPDX-License-Identifier: MIT",
        "# Written by `python -m lablib.images lock`: requirements.txt with all dependencies, for Python 3.11.",
        *(f"{name}=={version}" for name, version in sorted(found.items())),
    ]
    target = _SOURCE / version / "constraints.txt"
    target.write_text("\n".join(lines) + "\n")
    report(f"{len(found)} packages in {target}")


def _image(version: str, name: str) -> ImageSpec:
    return ImageSpec(
        reference=f"ghcr.io/berriai/litellm-non_root:{version}",
        layer=LayerSpec(
            name=name,
            takes="1 to 4 minutes",
            inputs=(
                *(_SOURCE / folder for folder in (version, "prisma", "rootfs")),
                *(Path(str(module.__file__)) for module in (base, pypi)),
                Path(__file__),
            ),
            below=(PYTHON_LAYER, NODE_LAYER),
            runs=(BASE, PYTHON_LAYER),
            # Prisma's client asks it for its version before it starts the engine.
            packages=("openssl",),
            fill=partial(_fill, version=version),
            owners=dict.fromkeys(("app", _UI, _ASSETS), 65534),
            # As in the real image: /app/.cache is readable, not writable, for a random UID.
            group_writable=(
                f"{_SITE}/prisma",
                f"{_SITE}/litellm_proxy_extras",
                _UI,
                _ASSETS,
            ),
        ),
        runtime=Runtime(
            entrypoint=("/app/docker/prod_entrypoint.sh",),
            cmd=("--port", "4000"),
            user="nobody",
            workdir="/app",
            expose=("4000/tcp",),
            env={
                "PATH": f"/app/.venv/bin:{PATH}",
                "HOME": "/app",
                "LITELLM_NON_ROOT": "true",
                "PRISMA_BINARY_CACHE_DIR": f"/{_PRISMA}",
                "PRISMA_CLI_BINARY_TARGETS": "debian-openssl-3.0.x",
                "PRISMA_OFFLINE_MODE": "true",
                "PRISMA_SKIP_POSTINSTALL_GENERATE": "1",
                "PRISMA_HIDE_UPDATE_MESSAGE": "1",
                "PRISMA_ENGINES_CHECKSUM_IGNORE_MISSING": "1",
                "XDG_CACHE_HOME": f"/{_CACHE}",
                "NPM_CONFIG_CACHE": f"/{_CACHE}/npm",
                "NPM_CONFIG_PREFER_OFFLINE": "true",
            },
        ),
    )


# What the role deploys by default, and what the LiteMaaS application ships.
IMAGE = _image("v1.106.0", "litellm")
IMAGE_1_81 = _image("v1.81.0", "litellm-1.81")
VERSIONS = ("v1.106.0", "v1.81.0")
