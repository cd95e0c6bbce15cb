"""`apikey`, `org`, `user`, `status`: the real command against a real server."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from fakes.command import Command
from fakes.platform import EMAIL, ORG, Platform
from synthesis.server import admin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

unix = pytest.mark.skipif(os.name != "posix", reason="pseudo terminals")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    running = Platform(tmp_path_factory.mktemp("platform") / "data")
    admin.create_account(running.data, "bob@example.com")
    admin.create_org(running.data, "bobs", "bob@example.com")
    running.start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def lonely_key(platform: Platform) -> str:
    """The key of an account that belongs to no org."""
    admin.create_account(platform.data, "lonely@example.com")
    return admin.create_key(platform.data, "lonely@example.com")


@pytest.fixture(scope="module")
def two_orgs_key(platform: Platform) -> str:
    """The key of an account with two orgs."""
    admin.create_account(platform.data, "eve@example.com")
    admin.create_org(platform.data, "evergreen", "eve@example.com")
    admin.add_member(platform.data, ORG, "eve@example.com")
    return admin.create_key(platform.data, "eve@example.com")


@pytest.fixture
def cli(tmp_path: Path, platform: Platform) -> Command:
    return Command(tmp_path, SYNTHESIS_SERVER=platform.url)


def test_the_whole_setup(cli: Command, platform: Platform) -> None:
    cli.ok("apikey", "set", platform.key)
    assert cli.ok("org", "use", ORG).out == "org set to acme.\n"
    assert cli.ok("status").out.splitlines() == [
        f"Configuration file: {cli.config}",
        "Org set to acme",
        f"Checking connectivity with Synthesis AI at: {platform.url}",
        "Server reachable",
        "APIKey found",
        "Authenticated successfully with the API key",
        "Confirmed membership in acme",
    ]
    assert cli.settings() == {"api_key": platform.key, "org": "acme"}
    if os.name == "posix":
        assert stat.S_IMODE(cli.config.stat().st_mode) == 0o600


def test_the_key_comes_from_a_pipe(cli: Command) -> None:
    cli.ok("apikey", "set", stdin="aB0cdEFgh1IjKlMnopq2\n")
    assert cli.settings() == {"api_key": "aB0cdEFgh1IjKlMnopq2"}


def test_without_key_and_terminal_the_argument_is_named(cli: Command) -> None:
    done = cli("apikey", "set")
    assert done.code == 2
    assert "synthesis apikey set KEY" in done.err
    assert not cli.config.exists()


@unix
def test_the_key_is_asked_for_without_echo(cli: Command) -> None:
    terminal = cli.terminal("apikey", "set")
    terminal.expect("API key: ")
    terminal.type("aB0cdEFgh1IjKlMnopq2\n")
    assert terminal.wait() == 0
    assert "aB0c" not in terminal.shown
    assert cli.settings() == {"api_key": "aB0cdEFgh1IjKlMnopq2"}
    again = cli.terminal("apikey", "set")
    again.expect("API key: ")
    again.type("\x03")
    assert again.wait() == 130
    assert "\n\x1b[1;31merror:\x1b[0m interrupted" in again.shown


@unix
@pytest.mark.parametrize(("answer", "org"), [("\n", "acme"), ("Y\n", "acme"), ("n\n", None)])
def test_the_only_org_is_offered(cli: Command, platform: Platform, answer: str, org: str | None) -> None:
    cli.ok("apikey", "set", platform.key)
    terminal = cli.terminal("org", "use")
    terminal.expect("You are a member of acme. Use it? (Y/n) ")
    terminal.type(answer)
    terminal.expect("org set to acme." if org else "org not changed.")
    assert terminal.wait() == 0
    assert cli.settings().get("org") == org


@unix
def test_many_orgs_are_listed_and_a_wrong_name_asks_again(cli: Command, two_orgs_key: str) -> None:
    cli.ok("apikey", "set", two_orgs_key)
    terminal = cli.terminal("org", "use")
    terminal.expect(
        "Choose an organization by typing its name, or Control-C to cancel.\nacme\nevergreen\nOrganization: "
    )
    terminal.type("amce\n")
    terminal.expect("did you mean acme?\nOrganization: ")
    terminal.type("evergreen\n")
    terminal.expect("org set to evergreen.")
    assert terminal.wait() == 0
    assert cli.settings()["org"] == "evergreen"


@unix
def test_control_c_cancels_the_dialogue(cli: Command, two_orgs_key: str) -> None:
    cli.ok("apikey", "set", two_orgs_key)
    terminal = cli.terminal("org", "use")
    terminal.expect("Organization: ")
    terminal.type("\x03")
    assert terminal.wait() == 130
    assert "Traceback" not in terminal.shown
    assert "org" not in cli.settings()


def test_without_a_terminal_the_org_must_be_named(cli: Command, two_orgs_key: str) -> None:
    cli.ok("apikey", "set", two_orgs_key)
    done = cli("org", "use")
    assert done.code == 2
    assert done.err.splitlines()[0] == "error: no org given, and nobody to ask"
    assert "synthesis org use ORG; your orgs: acme, evergreen" in done.err


@pytest.mark.parametrize("org", ["bobs", "nowhere"])
def test_an_org_of_others_is_refused(cli: Command, platform: Platform, org: str) -> None:
    cli.ok("apikey", "set", platform.key)
    done = cli("org", "use", org)
    assert done.code == 3
    assert f"you are not a member of {org}" in done.err
    assert "org" not in cli.settings()


def test_a_key_without_orgs_says_whom_to_ask(cli: Command, lonely_key: str) -> None:
    cli.ok("apikey", "set", lonely_key)
    done = cli("org", "use")
    assert done.code == 3
    assert "ask an owner" in done.err


def test_user_init_sets_both(cli: Command, platform: Platform) -> None:
    done = cli.ok("user", "init", platform.key, "acme")
    assert done.out.endswith("org set to acme.\n")
    assert platform.key not in done.out
    assert cli.settings() == {"api_key": platform.key, "org": "acme"}


def test_user_init_keeps_the_server_that_was_named(cli: Command, platform: Platform) -> None:
    url = cli.environment.pop("SYNTHESIS_SERVER")
    cli.ok("user", "init", platform.key, "acme", "--server", url)
    assert cli.settings() == {"api_key": platform.key, "org": "acme", "server": url}
    assert "Confirmed membership in acme" in cli.ok("status").out


@pytest.mark.parametrize("wrong", ["key", "org"])
def test_user_init_changes_nothing_when_either_is_wrong(cli: Command, platform: Platform, wrong: str) -> None:
    cli.config.write_text('{"api_key": "theoldkey", "org": "old"}')
    key = "aB0cdEFgh1IjKlMnopq2" if wrong == "key" else platform.key
    done = cli("user", "init", key, "nowhere" if wrong == "org" else ORG)
    assert done.code == 3
    assert cli.config.read_text() == '{"api_key": "theoldkey", "org": "old"}'


def test_status_of_a_fresh_machine_says_what_misses(cli: Command) -> None:
    done = cli("status")
    assert done.code == 1
    assert done.out.splitlines()[1:] == [
        "Org not set",
        f"Checking connectivity with Synthesis AI at: {cli.environment['SYNTHESIS_SERVER']}",
        "Server reachable",
        "APIKey not found",
        "Not authenticated: there is no API key",
        "Membership not confirmed: not authenticated",
    ]
    assert done.err.splitlines()[1] == "hint: run: synthesis apikey set"


def test_status_of_a_server_that_is_down(cli: Command) -> None:
    cli.environment["SYNTHESIS_SERVER"] = "http://127.0.0.1:1"
    cli.config.write_text('{"api_key": "aB0cdEFgh1IjKlMnopq2", "org": "acme"}')
    done = cli("status", "--json")
    assert done.code == 1
    assert done.err == ""
    checks = {check["name"]: check["ok"] for check in done.json()["checks"]}
    assert checks == {
        "org": True,
        "server": False,
        "api key": True,
        "authentication": False,
        "membership": False,
    }
    assert "aB0c" not in done.out


def test_config_goes_before_and_after_the_command(cli: Command, platform: Platform) -> None:
    other = cli.folder / "other.json"
    cli.ok("apikey", "set", platform.key, "--config", other)
    cli.ok("--config", other, "org", "use", "acme")
    assert f"Configuration file: {other}" in cli.ok("status", "--config", other).out
    assert not cli.config.exists()


def test_a_broken_configuration_is_a_clear_error(cli: Command) -> None:
    cli.config.write_text("{")
    done = cli("job", "list")
    assert done.code == 2
    assert str(cli.config) in done.err.splitlines()[0]
    assert "Traceback" not in done.err


def test_without_key_and_org_the_command_to_run_is_named(cli: Command, platform: Platform) -> None:
    done = cli("job", "list")
    assert (done.code, "synthesis apikey set" in done.err) == (3, True)
    cli.ok("apikey", "set", platform.key)
    done = cli("job", "list")
    assert (done.code, "synthesis org use" in done.err) == (2, True)


def test_the_environment_is_mentioned_when_it_wins(cli: Command, platform: Platform) -> None:
    cli.environment["SYNTHESIS_API_KEY"] = platform.key
    done = cli.ok("apikey", "set", "another-key-altogether")
    assert "SYNTHESIS_API_KEY is set in the environment" in done.err


def test_usage_errors_are_two_lines_and_exit_2(cli: Command) -> None:
    for line, says in (
        (["job", "statu"], "did you mean 'status'?"),
        (["job", "assets", "download", "JOB", "--asset", "rgb"], "did you mean --assets"),
        (["job", "status"], "missing argument 'JOB'"),
    ):
        done = cli(*line)
        assert done.code == 2
        assert len(done.err.splitlines()) == 2
        assert says in done.err
    assert cli("--json", "job", "statu").json()["error"]["kind"] == "usage"


@pytest.mark.parametrize(
    ("line", "completed"),
    [
        ("synthesis job assets download JOB --assets rgb,de", "rgb,depth"),
        ("synthesis exr extract --mode e", "exact"),
        ("synthesis exr extract --assets rgb,al", "rgb,all rgb,alpha"),
        ("synthesis job list --status comp", "completed"),
        ("synthesis job list --status=comp", "completed"),
        ("synthesis fet", "fetch"),
        ("synthesis job ca", "cancel"),
        ("synthesis job assets v", "view"),
        ("synthesis --config x fetch --l", "--limit-rate"),
        ("synthesis fetch list.txt -o out --json --js", ""),
        ("synthesis fetch --header a --header b --hea", "--header"),
        ("synthesis fetch --se", ""),  # taken there, too, but not shown
        ("synthesis --se", "--server"),
        ("synthesis nonsense --versi", "--version"),
        ("synthesis fetch 'half a quote", ""),
    ],
)
def test_the_shell_completes_values(cli: Command, line: str, completed: str) -> None:
    words = line.split()
    cli.environment |= {
        "_SYNTHESIS_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    assert cli.ok().out.split() == completed.split()


@pytest.mark.parametrize(
    ("shell", "line", "told", "code"),
    [
        (
            "zsh",
            "synthesis fetch --limit",
            """_arguments '*: :(("--limit-rate":"Bytes a second at most\\\\: 500K, 8M, 1.5G."))'\n""",
            0,
        ),
        ("zsh", "synthesis fetch ", "_files\n", 0),
        ("fish", "synthesis job can", "cancel\tStop a job; what was made stays.\n", 0),
        ("fish is-args", "synthesis job can", "\n", 0),
        ("fish is-args", "synthesis fetch ", "\n", 1),
    ],
)
def test_each_shell_is_answered_in_its_way(cli: Command, shell: str, line: str, told: str, code: int) -> None:
    name, _, action = shell.partition(" ")
    cli.environment |= {
        "_SYNTHESIS_COMPLETE": f"complete_{name}",
        "_TYPER_COMPLETE_ARGS": line,
        "_TYPER_COMPLETE_FISH_ACTION": action or "get-args",
    }
    done = cli()
    assert (done.out, done.code, done.err) == (told, code, "")


def test_accounts_orgs_members_and_keys_by_command(cli: Command) -> None:
    data = cli.folder / "data"
    cli.ok("platform", "account", "create", EMAIL, "--data", data)
    cli.ok("platform", "account", "create", "bob@example.com", "--data", data)
    cli.ok("platform", "org", "create", "acme", "--owner", EMAIL, "--data", data)
    cli.ok("platform", "member", "add", "acme", "bob@example.com", "--data", data)
    key = cli.ok("platform", "key", "create", "bob@example.com", "--data", data, "--quiet").out.strip()
    assert len(key) >= 20
    assert cli("platform", "account", "create", EMAIL, "--data", data).code == 1
    assert cli("platform", "key", "create", "nobody@example.com", "--data", data).code == 4
