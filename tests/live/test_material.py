"""Files of certificates and keys, as they are found on a machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sealgate.config.edit import Set, edited
from sealgate.live.material import LARGEST, read_material, read_trust
from tests.config.samples import configuration


def found(path: Path | str) -> list[str]:
    """What is said of this file in place of a certificate, and in place of CA certificates."""
    profile = {"name": "demo", "certificate_file": str(path), "key_file": str(path)}
    settings = edited(configuration(), [Set("certificates", [profile]), Set("delivery.trust_file", str(path))])
    profiles, trust = read_material(settings), read_trust(settings)
    return [profiles["demo"].get("fault", ""), trust[str(path)].get("fault", "")]


def test_a_pipe_a_device_and_a_folder_are_no_files_to_wait_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/zero", "/dev/null", tmp_path):
        for fault in found(path):
            assert f"{path}: " in fault
            assert fault.endswith(("it is no file", "Is a directory"))


def test_a_file_that_is_too_large_to_be_meant_is_not_read(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(LARGEST + 1)
    assert all(fault.endswith("it has more than 4 MB") for fault in found(large))


def test_a_link_is_followed_and_ends_of_lines_are_plain(tmp_path: Path) -> None:
    file, link = tmp_path / "file.pem", tmp_path / "link.pem"
    file.write_bytes(b"one\r\ntwo\rthree\n")
    link.symlink_to(file)
    settings = edited(configuration(), [Set("delivery.trust_file", str(link))])
    assert read_trust(settings) == {str(link): {"pem": "one\ntwo\nthree\n"}}


@pytest.mark.parametrize(("content", "said"), [(b"\xff", "it is not PEM text"), (None, "No such file or directory")])
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes | None, said: str) -> None:
    path = tmp_path / "x.pem"
    if content is not None:
        path.write_bytes(content)
    assert all(fault.endswith(f"{path}: {said}") for fault in found(path))
