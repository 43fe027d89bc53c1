# SPDX-License-Identifier: MIT
"""Redis' start script, with a stand-in that shows what it would be started with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from lablib.images.builder import SOURCES

SCRIPT = SOURCES / "redis/rootfs/usr/bin/run-redis"


def run(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    server = folder / "redis-server"
    server.write_text('#!/bin/sh\necho "$@"; cat "$1"; env | grep REDIS_PASSWORD; exit 0\n')
    server.chmod(0o755)
    return subprocess.run(
        ["bash", SCRIPT, "--maxmemory", "1mb"],
        env={"PATH": f"{folder}:/usr/bin:/bin", "REDIS_CONF": str(folder / "redis.conf"), **env},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_password_goes_into_the_file_and_not_to_the_server(tmp_path: Path) -> None:
    done = run(tmp_path, REDIS_PASSWORD="Secret123")  # noqa: S106
    conf = tmp_path / "redis.conf"
    lines = done.stdout.splitlines()
    assert lines == [f"{conf} --daemonize no --maxmemory 1mb", "", "requirepass Secret123"]


@pytest.mark.parametrize("password", ["", "two words", 'quo"te', "new\nline"])
def test_a_password_that_the_file_does_not_take(tmp_path: Path, password: str) -> None:
    done = run(tmp_path, REDIS_PASSWORD=password)
    assert done.returncode == 1
    assert "REDIS_PASSWORD" in done.stderr
