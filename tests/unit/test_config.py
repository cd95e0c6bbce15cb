"""Settings: file < environment < argument; the file is private, whole and keeps what it does not know."""

from __future__ import annotations

import json
import os
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from synthesis import config
from synthesis.errors import DiskError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

KEY = "aB0cdEFgh1IjKlMnopq2"
posix = pytest.mark.skipif(os.name != "posix", reason="POSIX permissions")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "config.json"


def test_nothing_set_gives_the_defaults(file: Path) -> None:
    settings = config.load(file)
    assert (settings.server, settings.api_key, settings.org) == (config.DEFAULT_SERVER, None, None)
    assert not file.exists()


def test_argument_beats_environment_beats_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.save(file, server="http://file:1", api_key="file-key", org="file-org")
    monkeypatch.setenv("SYNTHESIS_API_KEY", "environment-key")
    monkeypatch.setenv("SYNTHESIS_ORG", "environment-org")
    settings = config.load(file, org="argument-org")
    assert settings.server == "http://file:1"
    assert settings.api_key == "environment-key"
    assert settings.org == "argument-org"
    assert settings.sources == {"server": "file", "api_key": "SYNTHESIS_API_KEY", "org": "argument"}


def test_an_empty_variable_is_not_set(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.save(file, org="acme")
    monkeypatch.setenv("SYNTHESIS_ORG", "")
    assert config.load(file).org == "acme"


def test_unknown_keys_stay(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"theme": {"dark": true}, "org": "old"}')
    config.save(file, org="acme")
    assert json.loads(file.read_text()) == {"theme": {"dark": True}, "org": "acme"}


def test_none_removes_a_setting(file: Path) -> None:
    config.save(file, org="acme", api_key=KEY)
    config.save(file, org=None)
    assert json.loads(file.read_text()) == {"api_key": KEY}


@posix
def test_the_file_is_for_its_owner_alone(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("{}")
    file.chmod(0o644)
    config.save(file, api_key=KEY)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["config.json"]


@posix
def test_a_symbolic_link_stays_one(tmp_path: Path, file: Path) -> None:
    file.parent.mkdir()
    real = tmp_path / "real.json"
    real.write_text("{}")
    file.symlink_to(real)
    config.save(file, org="acme")
    assert file.is_symlink()
    assert json.loads(real.read_text()) == {"org": "acme"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"org": 5}', "gives org as something else than a string"),
        ("\xff", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_broken_file_is_named_and_left_alone(file: Path, text: str, says: str) -> None:
    file.parent.mkdir()
    file.write_bytes(text.encode("latin-1"))
    for call in (lambda: config.load(file), lambda: config.save(file, org="acme")):
        with pytest.raises(UsageError) as caught:
            call()
        assert caught.value.kind == "invalid-config"
        assert str(file) in caught.value.message
        assert says in caught.value.message
    assert file.read_bytes() == text.encode("latin-1")


def test_blanks_around_a_value_are_dropped(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config.save(file, org=" acme ")
    monkeypatch.setenv("SYNTHESIS_API_KEY", "a-key\n")
    monkeypatch.setenv("SYNTHESIS_ORG", " \n")
    found = config.load(file)
    assert (found.api_key, found.org, found.sources["org"]) == ("a-key", "acme", "file")


def test_an_empty_file_counts_as_no_file(file: Path) -> None:
    file.parent.mkdir()
    file.touch()
    assert config.load(file).org is None


@pytest.mark.parametrize(
    "url", ["example.com", "ftp://example.com", "http://", "http://a:b", "http://x/?y=1"]
)
def test_a_server_must_be_a_plain_address(file: Path, url: str) -> None:
    with pytest.raises(UsageError) as caught:
        config.load(file, server=url)
    assert caught.value.kind == "invalid-config"
    assert repr(url) in caught.value.message


def test_a_password_in_the_server_is_refused_and_not_repeated(file: Path) -> None:
    with pytest.raises(UsageError) as caught:
        config.load(file, server="http://me:s3cret@example.com")
    assert "s3cret" not in caught.value.message


def test_a_final_slash_is_dropped(file: Path) -> None:
    assert config.load(file, server="https://example.com/").server == "https://example.com"


def test_the_key_is_not_in_repr(file: Path) -> None:
    assert KEY not in repr(config.load(file, api_key=KEY))


def test_a_key_loses_the_blanks_around_it() -> None:
    assert config.check_key(f" {KEY}\n") == KEY


@pytest.mark.parametrize("key", ["", " ", "two words", "ключ", "a\x00b"])
def test_what_cannot_be_a_key_is_refused(key: str) -> None:
    with pytest.raises(UsageError):
        config.check_key(key)


def test_the_variable_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTHESIS_CONFIG", str(tmp_path / "mine.json"))
    assert config.load().path == tmp_path / "mine.json"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the place on Linux")
def test_the_usual_place_on_linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert config.default_path() == tmp_path / "synthesis" / "config.json"


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(DiskError) as caught:
        config.save(tmp_path / "config.json", org="acme")
    assert caught.value.kind == "permission"
    assert str(tmp_path) in caught.value.message
