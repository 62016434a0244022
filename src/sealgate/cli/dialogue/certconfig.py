"""`certconfig`: the certificates that services show. Keys go in and never come out."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from sealgate.cli.dialogue import certquestion
from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.question import Operation, choice, run_menu, yes_or_no
from sealgate.cli.dialogue.talk import Answer, Refusal, Talk
from sealgate.config.edit import Add, Remove, Set, Step
from sealgate.mail.text import printable
from sealgate.net.tls.bundle import PassphraseError, read_bundle, read_chain, read_key
from sealgate.net.tls.credential import CredentialError
from sealgate.net.tls.request import KINDS, Subject, key_pem, new_key, self_signed_by

T = TypeVar("T")

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
    name = await certquestion.new_profile(talk)
    if name is None:
        return
    host = (await talk.configuration())["gateway"]["hostname"]
    common = await talk.ask(
        certquestion.host("Enter the common name: the name by which peers know this gateway.", host)
    )
    more = await talk.ask(certquestion.more_names())
    organization = await talk.ask(certquestion.line("Enter the organization, or Enter for none.", 64))
    country = await talk.ask(certquestion.country())
    days = await talk.ask(certquestion.days())
    kind = await talk.ask(choice("Choose the private key:", KINDS, 0))
    subject = Subject(tuple(dict.fromkeys((common, *more))), organization, country)
    key = new_key(KINDS[kind])
    certificate = _tried(lambda: self_signed_by(key, subject, now=datetime.datetime.now(datetime.UTC), days=days))
    await _keep(talk, name, certificate, key_pem(key))
    (made,) = await talk.certificates(name=name)
    talk.say("", "Have this request signed, and paste the certificate that comes back with PASTE:", "")
    talk.say(made["request"].rstrip())


async def _import(talk: Talk) -> None:
    name = await certquestion.new_profile(talk)
    if name is None:
        return
    host = (await talk.shown())["hostname"]
    first = await talk.ask(
        certquestion.file(talk.home, f'Enter the name of the file on machine "{host}" to import:', needed=True)
    )
    second = await talk.ask(
        certquestion.file(
            talk.home, "Enter the name of the file of the private key, or Enter if it is in the same one:"
        )
    )

    def read(passphrase: str) -> tuple[str, str | None]:
        certificate, key = read_bundle(first, passphrase)
        return certificate, read_key(second, passphrase) if second else key

    certificate, key = await _opened(talk, read)
    if key is None:
        raise Refusal("There is no private key in it, so that nothing was imported; name the file of the key as well.")
    await _keep(talk, name, certificate, key)


async def _paste(talk: Talk) -> None:
    """A certificate with its key, or one for a key that is there."""
    name = await talk.ask(certquestion.profile_name())
    there = certquestion.named(await talk.certificates(), name)
    certificate = await talk.ask_lines(
        "Paste the certificate in PEM form, and behind it the rest of its chain. A line with a dot alone ends it."
    )
    kept = " A dot at once keeps the one of this profile." if there is not None else ""
    key = await talk.ask_lines(f"Paste the private key in PEM form. A line with a dot alone ends it.{kept}")
    chain = _tried(lambda: read_chain(certificate.encode()))
    found = await _opened(
        talk, lambda passphrase: read_key(key.encode(), passphrase) or read_key(certificate.encode(), passphrase)
    )
    if found is None and key.strip():
        raise Refusal("What was pasted for the private key is none; it begins with -----BEGIN PRIVATE KEY-----.")
    if found is None and (there is None or there["files"]):
        raise Refusal(f"Profile {name} keeps no key yet, so that one has to be pasted.")
    await _keep(talk, name, chain, found)


async def _print(talk: Talk) -> None:
    profile = await certquestion.chosen_profile(talk, "Enter the name of the certificate profile to print:")
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
    yield from (f"Note:        {printable(sentence)}." for sentence in told["doubts"])
    yield ""
    yield told["chain"].rstrip()
    yield ""
    yield "To have it renewed with the same key, have this request signed:"
    yield told["request"].rstrip()


async def _delete(talk: Talk) -> None:
    profile = await certquestion.chosen_profile(talk, "Enter the name of the certificate profile to delete:")
    if profile is None:
        return
    name, used = profile["name"], profile["used_by"]
    if used:
        talk.refuse(f"{name} was not deleted: it is used by {', '.join(used)}. Give them another certificate first.")
        return
    if await talk.ask(yes_or_no(f'Are you sure you want to delete certificate profile "{name}"?', False)):
        await talk.edit(Remove("certificates", name))
        talk.say(f"Certificate profile {name} is deleted.")


# -- keeping


async def _keep(talk: Talk, name: str, certificate: str, key: str | None) -> None:
    """Into the profile, new or not; nothing that cannot be used gets there. Without a key, the present one stays."""
    steps = _steps(certquestion.named(await talk.certificates(), name), name, certificate, key)
    (told,) = await talk.certificates(*steps, name=name)
    if told["fault"] is not None:
        raise Refusal(f"Nothing was changed: {told['fault']}.")
    if told["days"] < 0:
        raise Refusal(f"Nothing was changed: the certificate has expired on {told['not_after'][:10]}.")
    if not await talk.edit(*steps):
        return
    names = ", ".join(map(printable, told["names"]))
    talk.say("", f"Certificate profile {name} holds a certificate of {told['key']} for {names}.")
    for sentence in told["doubts"]:
        talk.say(f"Warning: {printable(sentence)}.")


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


async def _opened(talk: Talk, read: Callable[[str], T]) -> T:
    """What `read` makes of a pass phrase. A person is asked again for a wrong one, also behind a one-line command."""
    question = certquestion.passphrase()
    while True:
        try:
            return read(await talk.ask(question))
        except PassphraseError as error:
            talk.refuse(f"Nothing was changed: {error}.")
            question = certquestion.passphrase(needed=True)
        except CredentialError as error:
            raise _refusal(error) from error


def _tried(what: Callable[[], T]) -> T:
    """Its value; what is no certificate or key is refused before anything is asked of control."""
    try:
        return what()
    except CredentialError as error:
        raise _refusal(error) from error


def _refusal(error: CredentialError) -> Refusal:
    return Refusal(f"Nothing was changed: {error}.")


CERTCONFIG = Command(
    "certconfig",
    "Create, import, paste, print and delete certificates.",
    certconfig,
    more="certconfig certificate import NAME FILE\n"
    "certconfig certificate print NAME\n"
    "certconfig certificate delete NAME Y\n\n"
    "Files are PEM or PKCS#12. Keys are never shown. A profile is used once a listener or delivery names it.",
)
