# SPDX-License-Identifier: MIT
"""The action as playbooks run it: what is printed, where files go, check mode, a second run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[4]
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  vars:
    domain: apps.example.com
    password: "p@s:s/w#r?d&%+=;, \\"é$x'"
  tasks:
    - rhpds.litemaas.agnosticd_user_info:
        msg: "Gateway: https://litellm.{{ domain }}"
        data:
          litellm_admin_url: "https://litellm.{{ domain }}"
          litellm_admin_password: "{{ password }}"
    - rhpds.litemaas.agnosticd_user_info:
        user: "user{{ item }}"
        msg: ["Gateway {{ item }}", ready]
        data: "{{ dict(['litemaas_url', 'litemaas_password'] | zip(['https://' ~ item, password])) }}"
      loop: [1, 2]
    - rhpds.litemaas.agnosticd_user_info:
        body: "Dear user of {{ domain }}"
"""
CONTENT = {
    "info": ["Gateway: https://litellm.apps.example.com"],
    "body": ["Dear user of apps.example.com"],
    "data": {
        "litellm_admin_url": "https://litellm.apps.example.com",
        "litellm_admin_password": "p@s:s/w#r?d&%+=;, \"é$x'",
        "users": {
            f"user{number}": {
                "litemaas_url": f"https://{number}",
                "litemaas_password": "p@s:s/w#r?d&%+=;, \"é$x'",
                "msg": f"Gateway {number}\nready",
            }
            for number in (1, 2)
        },
    },
}


def play(folder: Path, *arguments: str, playbook: str = PLAYBOOK, home: str = "") -> str:
    """Run the playbook in a folder and return what it printed. It must succeed unwarned."""
    (folder / "play.yml").write_text(playbook)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_HOME": str(folder / ".ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
        "HOME": home or str(folder),
    }
    command = Path(sys.executable).with_name("ansible-playbook")
    done = subprocess.run(
        [str(command), "play.yml", *arguments],
        cwd=folder,
        env=environment,
        text=True,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARNING" not in done.stdout + done.stderr
    return done.stdout


def load(folder: Path, action: str = "provision") -> dict[str, object]:
    return {
        path.stem.rpartition("-")[2]: yaml.safe_load(path.read_text())
        for path in folder.glob(f"{action}-user-*.yaml")
    }


def test_files_beside_the_playbook(tmp_path: Path) -> None:
    """Also a check run before, and a second run after."""
    checked = play(tmp_path, "--check")
    assert "changed=3" in checked and load(tmp_path) == {}
    first = play(tmp_path)
    assert "changed=3" in first
    assert '"msg": "user.info: Gateway: https://litellm.apps.example.com"' in first
    assert '"msg": "user.body: Dear user of apps.example.com"' in first
    assert '"user": "user2"' in first and '"litemaas_url": "https://2"' in first
    assert load(tmp_path) == CONTENT
    text = {path: path.read_bytes() for path in tmp_path.glob("*.yaml")}
    assert {path.stat().st_mode & 0o777 for path in text} == {0o600}
    again = play(tmp_path)
    assert "changed=0" in again
    assert {path: path.read_bytes() for path in tmp_path.glob("*.yaml")} == text


def test_output_dir_and_action(tmp_path: Path) -> None:
    variables = ("-e", f"output_dir={tmp_path}/out/new", "-e", "ACTION=create")
    play(tmp_path, *variables, home="/proc/1/no-home")
    assert load(tmp_path / "out" / "new", "create") == CONTENT
    assert load(tmp_path) == {}


REFUSED = """
- hosts: localhost
  gather_facts: false
  tasks:
    - rhpds.litemaas.agnosticd_user_info: {arguments}
      register: refused
      ignore_errors: true
    - ansible.builtin.assert:
        that:
          - refused is failed
          - "'{words}' in refused.msg"
          - refused.error == refused.msg
"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("{msg: a, body: b}", "mutually exclusive"),
        ("{data: [a]}", "must be a dictionary"),
    ],
)
def test_refusals(tmp_path: Path, arguments: str, words: str) -> None:
    play(tmp_path, playbook=REFUSED.replace("{arguments}", arguments).replace("{words}", words))
    assert load(tmp_path) == {}
