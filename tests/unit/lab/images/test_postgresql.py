# SPDX-License-Identifier: MIT
"""PostgreSQL's start scripts, as far as they need no server."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from lablib.images.builder import SOURCES

SCRIPTS = SOURCES / "postgresql/rootfs/usr/share/container-scripts/postgresql"
ALL = {"POSTGRESQL_USER": "u", "POSTGRESQL_PASSWORD": "p", "POSTGRESQL_DATABASE": "d"}


def bash(script: str, home: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-euc", f'source "{SCRIPTS}/common.sh"; {script}'],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "APP_DATA": str(home / "app"), **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("env", "actions"),
    [
        (ALL, ",simple_db"),
        ({"POSTGRESQL_ADMIN_PASSWORD": "a"}, ",admin_pass"),
        (ALL | {"POSTGRESQL_ADMIN_PASSWORD": "a"}, ",simple_db,admin_pass"),
    ],
)
def test_variables_that_will_do(tmp_path: Path, env: dict[str, str], actions: str) -> None:
    done = bash('check_variables; echo "$postinitdb_actions"', tmp_path, **env)
    assert (done.returncode, done.stdout.strip()) == (0, actions)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({}, "POSTGRESQL_ADMIN_PASSWORD"),
        ({"POSTGRESQL_USER": "u"}, "together"),
        (ALL | {"POSTGRESQL_USER": "u" * 64}, "username too long"),
        (ALL | {"POSTGRESQL_DATABASE": "d" * 64}, "Database name too long"),
    ],
)
def test_variables_that_will_not(tmp_path: Path, env: dict[str, str], message: str) -> None:
    done = bash("check_variables", tmp_path, **env)
    assert done.returncode == 1
    assert message in done.stderr


def test_configuration(tmp_path: Path) -> None:
    extra = tmp_path / "app/src/postgresql-cfg"
    extra.mkdir(parents=True)
    (extra / "slow.conf").write_text("log_min_duration_statement = 100\n")
    done = bash(
        "apply_memory_limit; write_configuration",
        tmp_path,
        POSTGRESQL_MAX_CONNECTIONS="300",
        POSTGRESQL_SHARED_BUFFERS="64MB",
    )
    assert done.returncode == 0, done.stderr
    lines = (tmp_path / "openshift-custom-postgresql.conf").read_text().splitlines()
    assert {
        "max_connections = 300",
        "shared_buffers = 64MB",
        f"include '{extra}/slow.conf'",
    } <= set(lines)


def test_a_random_uid_gets_a_name(tmp_path: Path) -> None:
    done = bash("id() { echo 1000650000; }; write_passwd_file", tmp_path)
    assert done.returncode == 0, done.stderr
    names = [line.split(":")[:4] for line in (tmp_path / "passwd").read_text().splitlines()]
    assert names[-1] == ["postgres", "x", "1000650000", "1000650000"]
    assert len([name for name in names if name[0] == "postgres"]) == 1


def test_scripts_in_order_and_one_of_a_name(tmp_path: Path) -> None:
    for folder, names in {"pod": ("b.sh", "a.sh"), "image": ("b.sh", "c.sh")}.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / folder / name).write_text(f"echo {folder}/{name}; cat; set +e\n")
    folders = f'"{tmp_path}/pod" "{tmp_path}/image" "{tmp_path}/none"'
    done = bash(f'source_scripts {folders} </dev/null; false; echo "not reached"', tmp_path)
    assert done.returncode == 1  # a script's `set +e` does not outlive it
    assert [line for line in done.stdout.splitlines() if not line.startswith("=>")] == [
        "pod/a.sh",
        "pod/b.sh",
        "image/c.sh",
    ]


@pytest.mark.parametrize("script", ["usr/bin/run-postgresql", "usr/libexec/check-container"])
def test_scripts_parse(script: str) -> None:
    subprocess.run(["bash", "-n", str(SOURCES / "postgresql/rootfs" / script)], check=True)


def test_live_is_always_yes() -> None:
    script = SOURCES / "postgresql/rootfs/usr/libexec/check-container"
    assert subprocess.run([str(script), "--live"], env={}, check=False).returncode == 0
