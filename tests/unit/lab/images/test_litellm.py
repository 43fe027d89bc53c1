# SPDX-License-Identifier: MIT
"""LiteLLM's image: the pins agree with one another, and the stand-in for Prisma's CLI keeps to its interface."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import re
import subprocess
import sys
from types import ModuleType

import pytest
from lablib.images import litellm
from lablib.images.builder import SOURCES

SOURCE = SOURCES / "litellm"


every_version = pytest.mark.parametrize("version", litellm.VERSIONS)


def pins(version: str, name: str) -> dict[str, str]:
    lines = (SOURCE / version / name).read_text().splitlines()
    pairs = (line.partition("==") for line in lines if line and not line.startswith("#"))
    return {package.partition("[")[0]: version for package, _, version in pairs}


@pytest.fixture(scope="module")
def cli() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("prisma_cli", str(SOURCE / "prisma" / "prisma"))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@every_version
def test_every_pin_is_exact_and_locked(version: str) -> None:
    locked = pins(version, "constraints.txt")
    assert all(re.fullmatch(r"[0-9][0-9A-Za-z.+!]*", version) for version in locked.values())
    assert pins(version, "requirements.txt").items() <= locked.items()


def test_what_is_left_out_would_be_installed_otherwise() -> None:
    assert set(litellm.LEFT_OUT) <= set(pins(litellm.VERSIONS[0], "constraints.txt"))


@every_version
def test_the_version_is_the_image_tag(version: str) -> None:
    image = next(i for i in (litellm.IMAGE, litellm.IMAGE_1_81) if i.reference.endswith(version))
    assert image.reference.endswith(f":v{pins(version, 'requirements.txt')['litellm']}")


def test_node_packages_are_exact() -> None:
    package = json.loads((SOURCE / "prisma" / "package.json").read_text())
    versions = [*package["dependencies"].values()]
    for value in package["overrides"].values():
        versions += value.values() if isinstance(value, dict) else [value]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+(-[0-9a-f.-]+)?", version) for version in versions)


@pytest.mark.parametrize(
    ("url", "address", "schema"),
    [
        ("postgresql://u:p@h:5432/d", "postgresql://u:p@h:5432/d", "public"),
        (
            "postgresql://u:p%40s%2Fw@h/d?connection_limit=10&pool_timeout=60&sslmode=require",
            "postgresql://u:p%40s%2Fw@h/d?sslmode=require",
            "public",
        ),
        (
            "postgresql://u@h/d?schema=tenant&options=-c%20x%3D1",
            "postgresql://u@h/d?options=-c+x%3D1",
            "tenant",
        ),
    ],
)
def test_libpq_address(cli: ModuleType, url: str, address: str, schema: str) -> None:
    assert cli.libpq_address(url) == (address, schema)


def test_an_error_is_told_as_prisma_tells_it(cli: ModuleType) -> None:
    assert str(cli.PrismaError("P3009", "text")) == "Error: P3009\n\ntext\n"


@pytest.mark.parametrize(
    ("arguments", "status", "output"),
    [
        (["--version"], 0, "prisma : 5.17.0\n"),
        (["migrate", "diff", "--from-empty"], 0, ""),
        (["db", "push"], 1, ""),
    ],
)
def test_prisma_cli(arguments: list[str], status: int, output: str) -> None:
    command = [sys.executable, str(SOURCE / "prisma" / "prisma"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (status, output)
