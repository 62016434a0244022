"""Configurations as TOML: what is written is read again, and what is wrong is said."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from sealgate.config.check import check
from sealgate.config.document import parse, render
from sealgate.config.problem import ConfigurationError, Problem
from sealgate.config.schema import Configuration
from sealgate.config.setting import all_settings
from sealgate.config.validation import validated
from tests.config.samples import CERTIFICATE, HASH, KEY, LIBRARY, configuration, data, listener, relaying

BROKEN = sorted((Path(__file__).parents[1] / "configs" / "broken").glob("*.toml"))
EXPECTED = "#! "

domains = st.sampled_from(["inside.example", "Partner.Example", "xn--mller-kva.example", "a-1.b"])
names = st.sampled_from(["main", "0", "With.dots-and_more"])
MEMBERS = ["10.0.0.0/8", "fd00::/8", ".partner.example", "mail.example", "ALL"]
paths = st.text("aé日 \"'\\#=[]{}").map("/{}".format)
printable = st.text("".join(map(chr, range(33, 127))), min_size=1)
seconds = st.floats(min_value=0.1, max_value=600) | st.integers(1, 600)

configurations = st.fixed_dictionaries(
    {"gateway": st.fixed_dictionaries({"hostname": domains}, optional={"accepted_domains": st.lists(domains)})},
    optional={
        "tls": st.fixed_dictionaries(
            {}, optional={"inbound_smtp": st.fixed_dictionaries({"ciphers": printable, "versions": st.just(["1.3"])})}
        ),
        "certificates": st.lists(
            st.fixed_dictionaries(
                {"name": names},
                optional={
                    "certificate": printable.map((CERTIFICATE + "{}\n").format),
                    "key": printable.map((KEY + "{}").format),
                    "certificate_file": paths,
                    "key_file": paths,
                },
            )
        ),
        "listeners": st.lists(
            st.fixed_dictionaries(
                {"name": names, "port": st.integers(1, 65535)},
                optional={
                    "kind": st.sampled_from(["public", "private"]),
                    "enabled": st.booleans(),
                    "addresses": st.lists(st.ip_addresses(v=4).map(str), min_size=1),
                    "idle_timeout": seconds,
                    "client_trust_file": paths,
                },
            )
        ),
        "sender_groups": st.lists(
            st.fixed_dictionaries(
                {"name": names, "policy": names, "members": st.lists(st.sampled_from(MEMBERS), min_size=1)}
            )
        ),
        "policies": st.lists(st.fixed_dictionaries({"name": names}, optional={"tls": st.just("off")})),
        "accounts": st.lists(st.fixed_dictionaries({"name": names, "passphrase": st.just(HASH)})),
        "delivery": st.fixed_dictionaries({}, optional={"lifetime": seconds, "source_v6": st.just("::1")}),
        "destinations": st.lists(st.fixed_dictionaries({"domain": domains, "tls": st.just("required-verify")})),
        "routes": st.lists(st.fixed_dictionaries({"domain": domains, "hosts": st.lists(domains, min_size=1)})),
    },
)


@given(configurations)
def test_what_is_written_is_read_again(settings: dict[str, Any]) -> None:
    before = Configuration.model_validate(settings)
    assert parse(render(before)) == before
    assert Configuration.model_validate(json.loads(json.dumps(before.model_dump(mode="json")))) == before


def test_a_document_shows_every_setting_with_its_help() -> None:
    rows = {
        "destinations": [{"domain": "partner.example", "tls": "required"}],
        "recipient_access": [{"recipient": "info@inside.example"}],
        "accounts": [{"name": "me@inside.example", "passphrase": HASH}],
        "operators": [{"name": "admin", "role": "administrator", "passphrase": HASH}],
        **relaying("10.0.0.0/8"),
    }
    text = render(configuration(**rows))
    prose = " ".join(text.replace("\n# ", " ").split())
    for setting in all_settings():
        name = setting.path.rpartition(".")[2]
        assert f"\n{name} = " in text or f"\n# {name} =" in text, setting.path
        assert setting.help in prose, setting.path
    assert prose.count("The versions this service speaks") == 1  # and not once for each service


def test_whole_seconds_are_written_as_a_person_would() -> None:
    text = render(configuration(delivery={"lifetime": 600.0, "idle_timeout": 0.5}))
    assert "\nlifetime = 600\n" in text
    assert "\nidle_timeout = 0.5\n" in text


def test_a_masked_document_shows_no_secret_and_cannot_be_loaded() -> None:
    text = render(configuration(), mask=True)
    assert "MIIE" not in text
    assert tomllib.loads(text)["certificates"][0] == {"name": "main", "certificate": CERTIFICATE, "key": "********"}
    with pytest.raises(ConfigurationError) as refusal:
        parse(text)
    (problem,) = refusal.value.problems
    assert problem.path == "certificates[0].key"
    assert "showconfig --secrets" in problem.sentence


@pytest.mark.parametrize("broken", BROKEN, ids=lambda path: path.stem)
def test_a_broken_document_is_refused_with_every_problem(broken: Path) -> None:
    """The first lines of each file say what is wrong with it."""
    text = broken.read_text()
    expected = [line.removeprefix(EXPECTED) for line in text.splitlines() if line.startswith(EXPECTED)]
    found = sorted(map(str, problems_of(text)))
    assert expected
    assert len(found) == len(expected), found
    for problem, words in zip(found, sorted(expected), strict=True):
        assert problem == words or (words.endswith("…") and problem.startswith(words[:-1]))


def test_there_are_broken_documents() -> None:
    assert len(BROKEN) >= 10


def problems_of(text: str) -> tuple[Problem, ...]:
    try:
        return check(parse(text), LIBRARY)
    except ConfigurationError as error:
        return error.problems


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates()
anything = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8)


@given(st.text() | st.text(alphabet="[]{}=\"'.,#\n\\ae10-:TZ_"))
def test_any_text_is_a_configuration_or_has_problems_in_words(text: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:  # no text made of these has a host name
        parse(text)
    assert_in_words(refusal.value)


@given(st.data())
def test_any_value_in_any_place_is_good_or_named(draws: st.DataObject) -> None:
    settings = data(listeners=[listener()], tls={"inbound_smtp": {}}, delivery={})
    spot: Any = settings
    while True:
        key = draws.draw(st.sampled_from(list(spot) if isinstance(spot, dict) else list(range(len(spot)))))
        if not isinstance(spot[key], dict | list) or not spot[key] or draws.draw(st.booleans()):
            break
        spot = spot[key]
    spot[key] = draws.draw(anything)
    try:
        validated(settings)
    except ConfigurationError as error:
        assert_in_words(error)


def assert_in_words(error: ConfigurationError) -> None:
    assert error.problems
    for problem in error.problems:
        assert problem.sentence
        for jargon in ("Input should", "validation error", "pydantic", "Traceback"):
            assert jargon not in problem.sentence


@pytest.mark.parametrize("text", ["x = " + "[" * 100_000, "x = " + "9" * 5000, "\ufeff[gateway]", "a = 1\na = 2"])
def test_what_no_reader_of_toml_takes_is_refused_in_words(text: str) -> None:
    with pytest.raises(ConfigurationError, match="this is no TOML document"):
        parse(text)


def test_a_configuration_that_is_no_table_is_refused() -> None:
    nonsenses: list[object] = [None, 5, [], "text"]
    for nonsense in nonsenses:
        with pytest.raises(ConfigurationError, match="this is no configuration"):
            validated(nonsense)


def test_the_refusal_of_a_secret_does_not_repeat_it() -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse(tomli_w.dumps(data(certificates=[{"name": "main", "key": ["MIIE", "private"]}])))
    assert str(refusal.value) == "certificates[0].key: the value is not PEM text"
