"""Who comes in over GUI HTTPS: logins, sessions, tokens, and what keeps pages of others out."""

from __future__ import annotations

import copy
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sealgate.cli.client import ask as control
from sealgate.cli.door import Door, Refused
from tests import https_client
from tests.https_client import Answer, Client
from tests.running import Gateway, Settings, eventually, gateway

PASSPHRASE = "correct horse battery staple"
ROLES = {"adam": "administrator", "olga": "operator", "rhea": "read-only"}
SESSION = "/api/v1/session"

Change = Callable[..., None]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway(tmp_path_factory.mktemp("gui-login")) as running:
        steps = [
            {"add": "operators", "row": {"name": name, "role": role, "passphrase": {"plain": PASSPHRASE}}}
            for name, role in ROLES.items()
        ]
        assert "refused" not in control(running.home, "edit", {"steps": steps})
        assert "revision" in control(running.home, "commit", {"comment": "operators"})
        yield running


@pytest.fixture(scope="module")
def first(gate: Gateway) -> Settings:
    return gate.settings()


@pytest.fixture
def change(gate: Gateway, first: Settings) -> Iterator[Change]:
    """The first configuration with other values for the GUI, and for limits."""

    def change(limits: dict[str, Any] | None = None, /, **values: Any) -> None:
        settings = copy.deepcopy(first)
        settings["gui"].update(values)
        settings["limits"].update(limits or {})
        gate.load(settings)

    yield change
    change()


def login(gate: Gateway, who: str = "adam", passphrase: str = PASSPHRASE, port: int = 0, **more: str) -> Answer:
    body = {"name": who, "passphrase": passphrase, **more}
    return https_client.ask(gate.gui_ports[port], "POST", "/api/v1/login", body)


def token_of(gate: Gateway, who: str = "adam") -> dict[str, str]:
    return {"authorization": f"Bearer {login(gate, who).json['token']}"}


def cookie_of(gate: Gateway, who: str = "adam") -> tuple[dict[str, str], str]:
    """A session as a browser carries it, and what its requests that change something carry beside."""
    answer = login(gate, who, way="cookie")
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}, answer.json["csrf"]


def session(gate: Gateway, port: int = 0, **fields: str) -> Answer:
    return https_client.ask(gate.gui_ports[port], "GET", SESSION, **fields)


def logout(gate: Gateway, **fields: str) -> Answer:
    return https_client.ask(gate.gui_ports[0], "POST", "/api/v1/logout", **fields)


# -- in and out


@pytest.mark.parametrize("who", ROLES)
def test_a_login_gives_a_token_that_is_good_on_both_ports(gate: Gateway, who: str) -> None:
    answer = login(gate, who)
    assert answer.status == 200
    assert (answer.json["who"], answer.json["role"]) == (who, ROLES[who])
    token = {"authorization": f"Bearer {answer.json['token']}"}
    for port in (0, 1):
        found = session(gate, port, **token)
        assert (found.status, found.json["who"], found.json["role"]) == (200, who, ROLES[who])
    assert logout(gate, **token).status == 204
    assert session(gate, **token).status == 401


def test_nobody_is_told_whether_it_is_the_name_or_the_passphrase(gate: Gateway) -> None:
    position = len(gate.log())
    wrong = [login(gate, "adam", "wrong"), login(gate, "nobody", PASSPHRASE)]
    assert [answer.status for answer in wrong] == [401, 401]
    assert wrong[0].json["detail"] == wrong[1].json["detail"]
    assert wrong[0].headers["www-authenticate"] == "Bearer"
    gate.wait_for_log("adam", after=position)
    assert PASSPHRASE not in gate.log()
    acts = control(gate.home, "audit", {"limit": 5})["acts"]
    assert {("login failed", "rest")} == {(act["act"], act["face"]) for act in acts[:2]}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[]", 400),
        (b'{"name": "adam"}', 400),
        (b'{"name": "adam", "passphrase": 5}', 400),
        (b'{"name": "adam", "passphrase": "\\ud800"}', 400),
        (b'{"name": "adam", "passphrase": "x", "way": "both"}', 400),
        (b"[" * 100_000, 400),
        (b"\xff\xfe\xff", 400),
        (b'{"name": NaN}', 400),
    ],
)
def test_what_is_no_login_is_refused_with_a_sentence(gate: Gateway, body: bytes, status: int) -> None:
    answer = https_client.ask(gate.gui_ports[0], "POST", "/api/v1/login", body, content_type="application/json")
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["detail"]


def test_a_form_is_no_json(gate: Gateway) -> None:
    kind = "application/x-www-form-urlencoded"
    assert https_client.ask(gate.gui_ports[0], "POST", "/api/v1/login", b"name=adam", content_type=kind).status == 415


def test_failures_put_off_their_place(gate: Gateway, change: Change) -> None:
    change({"auth_failures": 2, "auth_window": 3})
    begun = time.monotonic()
    with Client(gate.gui_ports[0], source="127.0.0.9") as client:

        def attempt(passphrase: str) -> Answer:
            return client.ask("POST", "/api/v1/login", {"name": "olga", "passphrase": passphrase})

        assert [attempt(f"wrong {n}").status for n in range(2)] == [401, 401]
        answer = attempt(PASSPHRASE)
        assert answer.status == 429
        assert int(answer.headers["retry-after"]) > 0
        with Client(gate.gui_ports[0], source="127.0.0.10") as elsewhere:
            body = {"name": "olga", "passphrase": PASSPHRASE}
            assert elsewhere.ask("POST", "/api/v1/login", body).status == 200
        eventually(lambda: attempt(PASSPHRASE).status == 200)
    assert time.monotonic() - begun < 20


# -- sessions in cookies


def test_the_cookie_is_one_that_no_other_site_and_no_script_can_use(gate: Gateway) -> None:
    fields = login(gate, way="cookie").headers["set-cookie"]
    assert fields.startswith("__Host-sealgate=")
    for word in ("; HttpOnly", "; Path=/", "; SameSite=strict", "; Secure"):
        assert word in fields
    assert "Domain" not in fields
    assert "Max-Age" not in fields


def test_a_session_changes_nothing_without_the_token_of_its_pages(gate: Gateway) -> None:
    cookie, csrf = cookie_of(gate)
    other_csrf = cookie_of(gate)[1]
    assert session(gate, **cookie).json["csrf"] == csrf
    for given in ({}, {"x_csrf_token": "guessed"}, {"x_csrf_token": other_csrf}):
        assert logout(gate, **cookie, **given).status == 403
    for site in ("cross-site", "same-site"):
        assert logout(gate, **cookie, x_csrf_token=csrf, sec_fetch_site=site).status == 403
    assert session(gate, **cookie).status == 200
    gone = logout(gate, **cookie, x_csrf_token=csrf, sec_fetch_site="same-origin")
    assert gone.status == 204
    assert "Max-Age=0" in gone.headers["set-cookie"]
    assert session(gate, **cookie).status == 401


def test_no_other_site_logs_anybody_in(gate: Gateway) -> None:
    body = {"name": "adam", "passphrase": PASSPHRASE, "way": "cookie"}
    answer = https_client.ask(gate.gui_ports[0], "POST", "/api/v1/login", body, sec_fetch_site="cross-site")
    assert answer.status == 403
    assert "set-cookie" not in answer.headers


def test_a_login_ends_the_session_it_came_with(gate: Gateway) -> None:
    before, _ = cookie_of(gate)
    body = {"name": "olga", "passphrase": PASSPHRASE, "way": "cookie"}
    after = https_client.ask(gate.gui_ports[0], "POST", "/api/v1/login", body, **before)
    assert after.status == 200
    assert after.headers["set-cookie"].partition(";")[0] != before["cookie"]
    assert session(gate, **before).status == 401


def test_a_secret_is_good_in_its_own_way_only(gate: Gateway) -> None:
    cookie, _ = cookie_of(gate)
    secret = cookie["cookie"].partition("=")[2]
    assert session(gate, authorization=f"Bearer {secret}").status == 401
    token = login(gate).json["token"]
    assert session(gate, cookie=f"__Host-sealgate={token}").status == 401
    assert session(gate, authorization=f"Basic {token}").status == 401


def test_a_session_ends_when_nothing_happens_in_it(gate: Gateway, change: Change) -> None:
    change(session_timeout=2)
    cookie, _ = cookie_of(gate)
    watched, _ = cookie_of(gate)
    end = time.monotonic() + 3
    while time.monotonic() < end:  # what a page asks for by itself is no use of it
        time.sleep(0.2)
        assert session(gate, **cookie).status == 200
        session(gate, **watched, x_background="1")
    assert session(gate, **watched).status == 401
    eventually(lambda: session(gate, **cookie, x_background="1").status == 401)


def test_a_session_ends_however_much_happens_in_it(gate: Gateway, change: Change) -> None:
    change(session_timeout=2, session_lifetime=2)
    cookie, _ = cookie_of(gate)
    assert session(gate, **cookie).status == 200
    eventually(lambda: session(gate, **cookie).status == 401)


def test_a_token_ends_whatever_happens(gate: Gateway, change: Change) -> None:
    change(token_lifetime=1)
    token = token_of(gate)
    assert session(gate, **token).status == 200
    eventually(lambda: session(gate, **token).status == 401)


# -- what ends a session from elsewhere


def commit(gate: Gateway, *steps: dict[str, Any]) -> None:
    assert "refused" not in control(gate.home, "edit", {"steps": list(steps)})
    assert "revision" in control(gate.home, "commit")


def test_a_session_has_the_role_of_the_moment_and_ends_with_the_operator(gate: Gateway, change: Change) -> None:
    token = token_of(gate, "olga")
    commit(gate, {"set": "operators[olga].role", "value": "read-only"})
    assert session(gate, **token).json["role"] == "read-only"
    commit(gate, {"set": "operators[olga].enabled", "value": False})
    answer = session(gate, **token)
    assert (answer.status, answer.json["detail"]) == (401, "olga is no operator of this gateway any more")


def test_a_new_passphrase_ends_every_session(gate: Gateway, change: Change) -> None:
    token, (cookie, _) = token_of(gate, "olga"), cookie_of(gate, "olga")
    commit(gate, {"set": "operators[olga].passphrase", "value": {"plain": "another passphrase by far"}})
    assert session(gate, **token).status == 401
    assert session(gate, **cookie).status == 401


def test_sessions_end_with_control_and_outlive_a_commit(gate: Gateway, change: Change) -> None:
    token = token_of(gate)
    change(idle_timeout=70)
    assert session(gate, **token).status == 200
    position = len(gate.log())
    os.kill(gate.children()["control"], signal.SIGKILL)
    gate.wait_for_log("Process control .* started", after=position)
    assert session(gate, **token).status == 401


# -- API tokens


def made(gate: Gateway, who: str, scope: str, days: float = 1) -> dict[str, Any]:
    """A token that this operator makes; what makes it is asked for as on the machine."""
    path = gate.home.parent / "secret"
    path.write_text(PASSPHRASE)
    answer: dict[str, Any] = control(
        Door(gate.home, who, str(path)), "token-make", {"name": "a program", "scope": scope, "days": days}
    )
    return answer


@pytest.mark.parametrize(
    ("who", "scope", "role"),
    [
        ("adam", "administrator", "administrator"),
        ("adam", "operator", "operator"),
        ("adam", "read-only", "read-only"),
        ("olga", "operator", "operator"),
        ("rhea", "metrics", "metrics"),
    ],
)
def test_an_api_token_goes_as_far_as_its_scope(gate: Gateway, who: str, scope: str, role: str) -> None:
    token = made(gate, who, scope)
    assert token["token"].startswith("sgt_")
    found = session(gate, authorization=f"Bearer {token['token']}")
    assert (found.status, found.json["who"], found.json["role"]) == (200, who, role)
    stored = (gate.home / "revisions.db").read_bytes() + (gate.home / "revisions.db-wal").read_bytes()
    assert token["token"].encode() not in stored
    assert token["token"] not in gate.log()
    listed = control(gate.home, "tokens")["tokens"]
    assert "token" not in listed[-1]
    assert listed[-1]["used"] is not None
    control(gate.home, "token-revoke", {"number": token["number"]})
    assert session(gate, authorization=f"Bearer {token['token']}").status == 401


def test_a_token_ends_with_its_days_and_with_its_owner(gate: Gateway, change: Change) -> None:
    brief = made(gate, "olga", "operator", days=1 / 86400)
    lasting = made(gate, "olga", "operator")
    eventually(lambda: session(gate, authorization=f"Bearer {brief['token']}").status == 401)
    field = {"authorization": f"Bearer {lasting['token']}"}
    commit(gate, {"set": "operators[olga].role", "value": "read-only"})
    assert session(gate, **field).json["role"] == "read-only"
    commit(gate, {"set": "operators[olga].enabled", "value": False})
    assert session(gate, **field).status == 401


@pytest.mark.parametrize(
    ("who", "body", "sentence"),
    [
        ("rhea", {"name": "x", "scope": "operator", "days": 1}, "goes further"),
        ("adam", {"name": "x", "scope": "everything", "days": 1}, "no scope"),
        ("adam", {"name": "", "scope": "operator", "days": 1}, "a name of"),
        ("adam", {"name": "x", "scope": "operator", "days": 0}, "1 to 3650 days"),
        ("adam", {"name": "x", "scope": "operator"}, "days"),
    ],
)
def test_what_may_not_be_is_refused(gate: Gateway, who: str, body: dict[str, Any], sentence: str) -> None:
    path = gate.home.parent / "secret"
    path.write_text(PASSPHRASE)
    with pytest.raises(Refused, match=sentence):
        control(Door(gate.home, who, str(path)), "token-make", body)


def test_an_operator_sees_and_revokes_his_own_only(gate: Gateway) -> None:
    token = made(gate, "adam", "operator")
    path = gate.home.parent / "secret"
    rhea = Door(gate.home, "rhea", str(path))
    assert token["number"] not in [each["number"] for each in control(rhea, "tokens")["tokens"]]
    with pytest.raises(Refused, match="no token"):
        control(rhea, "token-revoke", {"number": token["number"]})
    control(gate.home, "token-revoke", {"number": token["number"]})
