"""`certconfig`: the certificates that services show. Keys go in and never come out."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.configfile import FOLDER, located, read_file
from sealgate.cli.dialogue.field import field
from sealgate.cli.dialogue.question import Operation, choice, run_menu, wanted, yes_or_no
from sealgate.cli.dialogue.talk import Answer, Question, Refusal, Talk
from sealgate.config.edit import Add, Remove, Set, Step
from sealgate.mail.text import printable
from sealgate.net.tls.bundle import read_bundle, read_chain, read_key
from sealgate.net.tls.credential import CredentialError
from sealgate.net.tls.request import DAYS, KINDS, Subject, key_pem, new_key, self_signed_by

NAME = "Enter a name for this certificate profile:"
COLUMNS = ("Name", "Common Name", "Issued By", "Status", "Remaining", "Used by")


async def certconfig(talk: Talk) -> None:
    """The menu above the one of certificates, as AsyncOS has it."""
    await run_menu(
        talk, [Operation("CERTIFICATE", "Create, import, paste, print and delete certificates.", _profiles)], _nothing
    )


async def _nothing(talk: Talk) -> None:
    pass


async def _profiles(talk: Talk) -> None:
    operations = [
        Operation("NEW", "Create a key with a self-signed certificate and a certificate request.", _new),
        Operation("IMPORT", "Import a certificate and its key from a file (PEM or PKCS#12).", _import),
        Operation("PASTE", "Paste a certificate, or the one that was signed for a request.", _paste),
        Operation("PRINT", "Show a certificate, and a request with its key.", _print),
        Operation("DELETE", "Delete a certificate profile.", _delete),
    ]
    await run_menu(talk, operations, _show)


# -- the list


async def _show(talk: Talk) -> None:
    profiles = await talk.certificates()
    talk.say("", "List of certificates:", *_table([COLUMNS, *map(_row, profiles)]))
    if not profiles:
        talk.say("(none)")


def _row(profile: Answer) -> tuple[str, ...]:
    used = ", ".join(profile["used_by"]) or "-"
    if profile["fault"] is not None:
        return (profile["name"], "-", "-", "Unusable", "-", used)
    status = "Active" if profile["valid"] else "Expired" if profile["days"] < 0 else "Not yet valid"
    left = f"{profile['days']} days" if profile["days"] >= 0 else "none"
    issuer = "(self-signed)" if profile["self_signed"] else profile["issuer"]
    return (profile["name"], printable(profile["common_name"]) or "-", printable(issuer), status, left, used)


def _table(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    for row in rows:
        yield "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()


# -- operations


async def _new(talk: Talk) -> None:
    """The key waits in the profile, with a certificate signed by itself, until the signed one is pasted."""
    name = await _name(talk)
    if name is None:
        return
    host = (await talk.configuration())["gateway"]["hostname"]
    common = await talk.ask(_host("Enter the common name: the name by which peers know this gateway.", host))
    more = await talk.ask(_names())
    organization = await talk.ask(_text("Enter the organization, or Enter for none.", 64))
    country = await talk.ask(_country())
    days = await talk.ask(_days())
    kind = await talk.ask(choice("Choose the private key:", KINDS, 0))
    subject = Subject(tuple(dict.fromkeys((common, *more))), organization, country)
    key = new_key(KINDS[kind])
    certificate = _tried(lambda: self_signed_by(key, subject, now=datetime.datetime.now(datetime.UTC), days=days))
    await _keep(talk, name, certificate, key_pem(key))
    (made,) = await talk.certificates(name=name)
    talk.say("", "Have this request signed, and paste the certificate that comes back with PASTE:", "")
    talk.say(made["request"].rstrip())


async def _import(talk: Talk) -> None:
    name = await _name(talk)
    if name is None:
        return
    host = (await talk.shown())["hostname"]
    first = await talk.ask(_file(talk.home, f'Enter the name of the file on machine "{host}" to import:', needed=True))
    second = await talk.ask(
        _file(talk.home, "Enter the name of the file of the private key, or Enter if it is in the same one:")
    )
    passphrase = await talk.ask(_passphrase())
    certificate, key = _tried(lambda: read_bundle(first, passphrase))
    if second:
        key = _tried(lambda: read_key(second, passphrase))
    if key is None:
        raise Refusal("There is no private key in it, so that nothing was imported; name the file of the key as well.")
    await _keep(talk, name, certificate, key)


async def _paste(talk: Talk) -> None:
    """A certificate with its key, or one for a key that is there."""
    name = await talk.ask(_profile_name())
    there = _named(await talk.certificates(), name)
    certificate = await talk.ask_lines(
        "Paste the certificate in PEM form, and behind it the rest of its chain. A line with a dot alone ends it."
    )
    kept = " A dot at once keeps the one of this profile." if there is not None else ""
    key = await talk.ask_lines(f"Paste the private key in PEM form. A line with a dot alone ends it.{kept}")
    passphrase = await talk.ask(_passphrase())
    chain = _tried(lambda: read_chain(certificate.encode()))
    found = _tried(lambda: read_key(key.encode(), passphrase)) or _tried(
        lambda: read_key(certificate.encode(), passphrase)
    )
    if found is None and key.strip():
        raise Refusal("What was pasted for the private key is none; it begins with -----BEGIN PRIVATE KEY-----.")
    if found is None and (there is None or there["files"]):
        raise Refusal(f"Profile {name} keeps no key yet, so that one has to be pasted.")
    await _keep(talk, name, chain, found)


async def _print(talk: Talk) -> None:
    profile = await _chosen(talk, "Enter the name of the certificate profile to print:")
    if profile is not None:
        (told,) = await talk.certificates(name=profile["name"])
        talk.say("", *_details(told))


def _details(told: Answer) -> Iterable[str]:
    yield f"Name:        {told['name']}"
    yield f"Used by:     {', '.join(told['used_by']) or 'nothing'}"
    if told["files"]:
        yield f"Files:       {told['files'][0]}, {told['files'][1]}"
    if told["fault"] is not None:
        yield f"Unusable:    {told['fault']}"
        return
    yield f"Common name: {printable(told['common_name'])}"
    yield f"For:         {', '.join(map(printable, told['names']))}"
    yield f"Issued by:   {printable(told['issuer'])}"
    yield f"Valid:       {told['not_before']} to {told['not_after']}, {told['days']} days left"
    yield f"Key:         {told['key']}"
    yield f"Serial:      {told['serial']}"
    yield f"SHA-256:     {told['sha256']}"
    yield from (f"Note:        {sentence}." for sentence in told["doubts"])
    yield ""
    yield told["chain"].rstrip()
    yield ""
    yield "To have it renewed with the same key, have this request signed:"
    yield told["request"].rstrip()


async def _delete(talk: Talk) -> None:
    profile = await _chosen(talk, "Enter the name of the certificate profile to delete:")
    if profile is None:
        return
    name, used = profile["name"], profile["used_by"]
    if used:
        _refuse(talk, f"{name} was not deleted: it is used by {', '.join(used)}. Give them another certificate first.")
        return
    if await talk.ask(yes_or_no(f'Are you sure you want to delete certificate profile "{name}"?', False)):
        await talk.edit(Remove("certificates", name))
        talk.say(f"Certificate profile {name} is deleted.")


# -- keeping


async def _keep(talk: Talk, name: str, certificate: str, key: str | None) -> None:
    """Into the profile, new or not; nothing that cannot be used gets there. Without a key, the present one stays."""
    steps = _steps(_named(await talk.certificates(), name), name, certificate, key)
    (told,) = await talk.certificates(*steps, name=name)
    if told["fault"] is not None:
        raise Refusal(f"Nothing was changed: {told['fault']}.")
    if told["days"] < 0:
        raise Refusal(f"Nothing was changed: the certificate has expired on {told['not_after'][:10]}.")
    if not await talk.edit(*steps):
        return
    talk.say("", f"Certificate profile {name} holds a certificate of {told['key']} for {', '.join(told['names'])}.")
    for sentence in told["doubts"]:
        talk.say(f"Warning: {sentence}.")


def _steps(there: Answer | None, name: str, certificate: str, key: str | None) -> list[Step]:
    if there is None:
        return [Add("certificates", {"name": name, "certificate": certificate, "key": key})]
    path = f"certificates[{name}]"
    steps: list[Step] = [Set(f"{path}.certificate", certificate)]
    if key is not None:
        steps.append(Set(f"{path}.key", key))
    if there["files"]:
        steps += [Set(f"{path}.certificate_file", None), Set(f"{path}.key_file", None)]
    return steps


def _tried(what: Callable[[], Any]) -> Any:
    """Its value; what is no certificate or key is refused before anything is asked of control."""
    try:
        return what()
    except CredentialError as error:
        raise Refusal(f"Nothing was changed: {error}.") from error


def _refuse(talk: Talk, sentence: str) -> None:
    """A person goes on in the menu; a pipe ends."""
    if not talk.interactive:
        raise Refusal(sentence)
    talk.say(sentence)


# -- questions


async def _name(talk: Talk) -> str | None:
    """The name of a profile that is to be filled; None if the one that is there is to stay."""
    name = await talk.ask(_profile_name())
    if _named(await talk.certificates(), name) is not None:
        question = f'Certificate profile "{name}" already exists. Do you want to overwrite with this new one?'
        if not await talk.ask(yes_or_no(question, False)):
            return None
    return name


def _profile_name() -> Question[str]:
    return field("certificates.name", None, NAME, needed=True)


def _named(profiles: Iterable[Mapping[str, Any]], name: str) -> Answer | None:
    return next((dict(each) for each in profiles if each["name"] == name), None)


async def _chosen(talk: Talk, text: str) -> Answer | None:
    """A profile that is there; Enter is none."""
    profiles = {each["name"].lower(): each for each in await talk.certificates()}

    def read(typed: str) -> Answer | None:
        if not typed:
            return None
        if typed.lower() not in profiles:
            raise ValueError(f"there is no certificate profile {typed!r}; there are {', '.join(profiles) or 'none'}")
        return profiles[typed.lower()]

    help_text = "Type the name of a certificate profile in the list. Enter takes none."
    return await talk.ask(Question(text, read, help=help_text, words=tuple(profiles)))


def _host(text: str, present: str) -> Question[str]:
    hostname = field("gateway.hostname", present, text)

    def read(typed: str) -> str:
        bare = typed.removeprefix("*.")
        if typed:
            hostname.read(bare)
        return typed.lower() or present

    return Question(text, read, present, "Type a host name, or *.domain for all hosts right below it.")


def _names() -> Question[tuple[str, ...]]:
    host = _host("", "")
    text = "Enter further names it is to be good for, with commas between them, or Enter for none."
    return Question(
        text,
        lambda typed: tuple(host.read(each.strip()) for each in typed.split(",") if each.strip()),
        help="Type host names, as mail.example.com, smtp.example.com.",
    )


def _text(text: str, longest: int) -> Question[str]:
    def read(typed: str) -> str:
        if len(typed) > longest or not typed.isprintable():
            raise ValueError(f"this has to be one line of at most {longest} characters")
        return typed

    return Question(text, read, help=f"Type up to {longest} characters.")


def _country() -> Question[str]:
    def read(typed: str) -> str:
        if typed and not (len(typed) == 2 and typed.isascii() and typed.isalpha()):
            raise ValueError(f"{typed!r} is no country; type its two letters, as NL")
        return typed.upper()

    return Question(
        "Enter the country in two letters, or Enter for none.", read, help="Two letters of ISO 3166, as NL."
    )


def _days() -> Question[int]:
    def read(typed: str) -> int:
        if not typed:
            return DAYS
        if not (typed.isascii() and typed.isdigit() and len(typed) < 6 and 1 <= int(typed) <= 3650):
            raise ValueError(f"{typed!r} is no number of days from 1 to 3650")
        return int(typed)

    return Question("Enter for how many days the self-signed certificate is good.", read, str(DAYS), "1 to 3650 days.")


def _file(home: Path, text: str, *, needed: bool = False) -> Question[bytes]:
    name = wanted(text, "the name of a file")

    def read(typed: str) -> bytes:
        if not typed and not needed:
            return b""
        return read_file(located(home, name.read(typed)))

    return Question(text, read, help=f"Type the name of a file in {home / FOLDER}, or an absolute path.")


def _passphrase() -> Question[str]:
    return Question("Enter the pass phrase of the private key, or Enter if it has none:", str, secret=True)


CERTCONFIG = Command(
    "certconfig",
    "Create, import, paste, print and delete certificates.",
    certconfig,
    more="certconfig certificate import NAME FILE\n"
    "certconfig certificate print NAME\n"
    "certconfig certificate delete NAME Y\n\n"
    "Files are PEM or PKCS#12. Keys are never shown. A profile is used once a listener or delivery names it.",
)
