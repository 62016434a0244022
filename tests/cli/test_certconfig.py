"""`certconfig` in memory: what goes in, what is refused and by which sentence, and that no key comes out."""

from __future__ import annotations

import asyncio
import datetime
import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from sealgate.config.schema import CertificateProfile
from sealgate.net.tls.certificate import doubts
from sealgate.net.tls.credential import PrivateKey, read_credential
from sealgate.net.tls.request import KINDS, Subject, key_pem, new_key, self_signed_by
from tests.cli.conversation import LEFT, Desk, configuration, converse
from tests.peers.certificate import Authority

NOW = datetime.datetime.now(datetime.UTC)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, configuration())
    desk.now = NOW
    return desk


def pair(*names: str, days: int = 90, now: datetime.datetime = NOW, key: PrivateKey | None = None) -> tuple[str, str]:
    key = key or new_key("ECDSA P-256")
    return self_signed_by(key, Subject(names or ("gate.example",)), now=now, days=days), key_pem(key)


def read_certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def file(desk: Desk, name: str, *texts: str | bytes) -> str:
    folder = desk.home / "configuration"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"".join(text if isinstance(text, bytes) else text.encode() for text in texts))
    return name


def imported(desk: Desk, *answers: str, name: str = "mx") -> tuple[str, int]:
    return converse(desk, "certconfig", "certificate", "import", name, *answers, "", "", "commit", "", piped=True)


def profile(desk: Desk, name: str = "mx") -> CertificateProfile | None:
    return next((each for each in desk.current().certificates if each.name == name), None)


def test_the_list_names_issuer_state_and_users(desk: Desk) -> None:
    said, _ = converse(desk, "certconfig", "certificate", "", "")
    row = next(line for line in said.splitlines() if line.startswith("demo "))
    assert row.split()[:5] == ["demo", "gate.example", "(self-signed)", "Active", "824"]
    assert row.endswith("listener public, listener private, listener private-tls, GUI HTTPS")


def test_a_pem_file_with_certificate_and_key(desk: Desk) -> None:
    certificate, key = pair()
    said, status = imported(desk, file(desk, "mx.pem", key, certificate), "", "")
    assert (status, profile(desk)) == (0, CertificateProfile(name="mx", certificate=certificate, key=key))
    assert "Certificate profile mx holds a certificate of ECDSA secp256r1 for gate.example." in said
    assert "Warning" not in said


def test_two_pem_files_one_of_them_encrypted(desk: Desk) -> None:
    key = new_key("RSA 2048")
    certificate, _ = pair(key=key)
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(*form, serialization.BestAvailableEncryption(b"four words"))
    names = (file(desk, "mx.crt", certificate), file(desk, "mx.key", secret))
    for passphrase, sentence in (("", "there is no pass phrase"), ("wrong", "the pass phrase does not open it")):
        said, status = imported(desk, *names, passphrase)
        assert sentence in said
        assert (status, profile(desk)) == (1, None)
    said, status = imported(desk, *names, "four words")
    kept = profile(desk)
    assert status == 0
    assert kept is not None
    assert kept.key is not None
    assert kept.key.startswith("-----BEGIN PRIVATE KEY-----")
    assert "four words" not in said


def test_a_person_is_asked_again_for_a_pass_phrase(desk: Desk) -> None:
    certificate, _ = pair(key=(key := new_key("RSA 2048")))
    form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(*form, serialization.BestAvailableEncryption(b"four words"))
    name = file(desk, "mx.pem", certificate, secret)
    said, _ = converse(desk, f"certconfig certificate import mx {name}", "wrong", "", "four words", "commit", "")
    assert "there is no pass phrase for it.\n\nEnter the pass phrase of the private key.\n" in said
    assert "the pass phrase does not open it.\n\nEnter" in said
    assert "This cannot be left empty; type the pass phrase" in said
    assert profile(desk) is not None


@pytest.mark.parametrize("passphrase", ["", "four words"])
def test_pkcs12_with_its_chain_in_order(desk: Desk, tmp_path: Path, passphrase: str) -> None:
    root = Authority(tmp_path, "root.example")
    middle = Authority(tmp_path, "middle.example", under=root)
    issued = middle.issue("gate.example")
    leaf, *chain = (read_certificate(each) for each in (issued.certificate, middle.certificate, root.certificate))
    key = serialization.load_pem_private_key(issued.key.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    encryption = (
        serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    )
    data = pkcs12.serialize_key_and_certificates(b"mx", key, leaf, list(reversed(chain)), encryption)
    name = file(desk, "mx.p12", data)
    if passphrase:
        assert "the pass phrase does not open it" in imported(desk, name, "", "wrong")[0]
        assert "there is no pass phrase for it" in imported(desk, name, "", "")[0]
    assert imported(desk, name, "", passphrase)[1] == 0
    kept = profile(desk)
    assert kept is not None
    found = x509.load_pem_x509_certificates((kept.certificate or "").encode())
    assert found == [leaf, *chain]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x00\x01garbage", "this is neither PEM nor PKCS#12"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "a certificate in it is damaged"),
        (pair()[1].encode(), "there is no certificate in it"),
        (pair()[0].encode(), "There is no private key in it"),
        ("".join((pair()[0], pair()[1])).encode(), "the private key does not belong to the first certificate"),
        ("".join(pair(days=1, now=NOW - datetime.timedelta(days=9))).encode(), "the certificate has expired on"),
        (None, "No such file or directory"),
    ],
)
def test_what_cannot_be_used_is_a_sentence_and_changes_nothing(
    desk: Desk, content: bytes | None, sentence: str
) -> None:
    name = "absent.pem" if content is None else file(desk, "bad.pem", content)
    said, status = imported(desk, name, "", "")
    assert sentence in said
    assert (status, profile(desk)) == (1, None)
    assert "Traceback" not in said


def test_a_name_that_is_taken_is_asked_for(desk: Desk) -> None:
    before = profile(desk, "demo")
    name = file(desk, "mx.pem", *pair())
    question = 'Certificate profile "demo" already exists. Do you want to overwrite with this new one?'
    said, _ = imported(desk, "", name="demo")
    assert question in said
    assert profile(desk, "demo") == before
    assert imported(desk, "y", name, "", "", name="demo")[1] == 0
    assert profile(desk, "demo") != before


def test_a_key_waits_for_the_certificate_that_is_signed_for_its_request(desk: Desk, tmp_path: Path) -> None:
    answers = ("gate.example", "mail.example, smtp.example", "Example Ltd", "nl", "", "4")
    said, _ = converse(desk, "certconfig", "certificate", "new", "mx", *answers, "", "", "commit", "waiting")
    kept = profile(desk)
    assert kept is not None
    request = x509.load_pem_x509_csr(said[said.index("-----BEGIN CERTIFICATE REQUEST") :].encode())
    assert request.subject.rfc4514_string() == "CN=gate.example,O=Example Ltd,C=NL"
    assert request.is_signature_valid
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["gate.example", "mail.example", "smtp.example"]

    authority = Authority(tmp_path)
    signed = authority.sign(request)
    other = authority.issue("gate.example").certificate.read_text()
    start = ("certconfig", "certificate", "paste", "mx")
    said, status = converse(desk, *start, *other.splitlines(), ".", ".", "", piped=True)
    assert "the private key does not belong to the first certificate" in said
    assert (status, profile(desk)) == (1, kept)
    said, status = converse(desk, *start, *signed.splitlines(), ".", ".", "", "", "", "commit", "signed", piped=True)
    now = profile(desk)
    assert status == 0
    assert now is not None
    assert (now.key, now.certificate) == (kept.key, signed)


@pytest.mark.parametrize("kind", range(1, len(KINDS) + 1))
def test_every_kind_of_key_makes_a_usable_pair(kind: int) -> None:
    key = new_key(KINDS[kind - 1])
    certificate, pem = pair("gate.example", "192.0.2.1", key=key)
    credential = read_credential("mx", certificate.encode(), pem.encode())
    assert credential.names == {"gate.example"}
    assert not list(doubts(credential.chain[0], "gate.example", NOW))


def test_doubts_about_a_certificate_are_said(desk: Desk) -> None:
    weak = rsa.generate_private_key(65537, 1024)
    name = file(desk, "mx.pem", *pair("other.example", days=5, key=weak))
    said, status = imported(desk, name, "", "")
    assert status == 0
    assert "Warning: it expires on" in said
    assert "Warning: it is not for gate.example, the name of this gateway, but for other.example." in said
    assert "Warning: its RSA key has 1024 bits, and peers want 2048 at least." in said


@pytest.mark.parametrize(
    ("names", "host", "fits"),
    [
        (("gate.example",), "Gate.Example", True),
        (("*.example",), "gate.example", True),
        (("*.example",), "a.gate.example", False),
        (("*.gate.example",), "gate.example", False),
    ],
)
def test_a_wildcard_stands_for_one_label(names: tuple[str, ...], host: str, fits: bool) -> None:
    certificate = x509.load_pem_x509_certificate(pair(*names)[0].encode())
    assert bool(list(doubts(certificate, host, NOW))) != fits


def test_what_is_used_is_not_deleted_and_what_is_not_is(desk: Desk) -> None:
    said, status = converse(desk, "certconfig certificate delete demo y", piped=True)
    assert "it is used by listener public, listener private, listener private-tls" in said
    assert status == 1
    imported(desk, file(desk, "mx.pem", *pair()), "", "")
    assert converse(desk, "certconfig certificate delete mx y", "commit gone", piped=True)[1] == 0
    assert profile(desk) is None


def test_printing_shows_certificate_and_request_and_never_the_key(desk: Desk) -> None:
    said, _ = converse(desk, "certconfig certificate print demo", "showchanges", "showconfig", LEFT)
    assert "-----BEGIN CERTIFICATE-----" in said
    assert "-----BEGIN CERTIFICATE REQUEST-----" in said
    assert "PRIVATE KEY" not in said


def test_a_profile_of_files_is_told_and_can_be_overwritten(desk: Desk, tmp_path: Path) -> None:
    certificate, key = pair()
    crt, pem = tmp_path / "mx.crt", tmp_path / "mx.key"
    crt.write_text(certificate)
    row = {"name": "mx", "certificate_file": str(crt), "key_file": str(pem)}
    asyncio.run(desk.request("edit", {"steps": [{"add": "certificates", "row": row}]}))
    said, _ = converse(desk, "certconfig", "certificate", "print", "mx", "", "")
    assert f"Unusable:    certificate profile 'mx': cannot read the key file {pem}" in said
    assert re.search(r"^mx +- +- +Unusable", said, re.MULTILINE)
    pem.write_text(key)
    assert (
        f"Files:       {crt}, {pem}\nCommon name: gate.example" in converse(desk, "certconfig certificate print mx")[0]
    )
    said, status = converse(
        desk, "certconfig", "certificate", "paste", "mx", *certificate.splitlines(), ".", ".", "", piped=True
    )
    assert "Profile mx keeps no key yet, so that one has to be pasted." in said
    assert status == 1
    assert imported(desk, "y", file(desk, "mx.pem", certificate, key), "", "")[1] == 0
    assert profile(desk) == CertificateProfile(name="mx", certificate=certificate, key=key)
