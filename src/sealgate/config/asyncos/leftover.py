"""What a file has that nothing here reads, and why, element by element."""

from __future__ import annotations

import re

from sealgate.config.asyncos.element import Element, shortened
from sealgate.config.asyncos.finding import Findings

_HERE = "listeners stay as they are here; set them with listenerconfig"
_LISTENER = {
    "hat": "host access tables are not read, so that nobody may send through a mistake; list your own servers in the "
    "sender group RELAYLIST, and other hosts in sender groups of their own",
    "domain_map_table": "addresses are not rewritten here",
    "listener_ldap": "recipients are not looked up in a directory yet",
    "smtpauth_profile_name": "logins are local accounts here (SMTP AUTH)",
}
_SILENT = ("rat", "listener_name", "type")

_SECTIONS = (
    (r".*certificate.*|.*cert_.*|crl.*|.*_ca(?:_.*)?", "certificates and keys are not read; bring them as profiles"),
    (r"users|.*passw.*|.*passphrase.*|authentication.*|.*radius.*", "users and passphrases are not read"),
    (r"interfaces|ports|ethernet.*|routes|default_gateway|ip_groups|vlans?|.*_interface", "it belongs to the system"),
    (r"dns.*", "name servers are set under dns"),
    (r"ntp|time.*|hostkeys|sshd|.*proxy.*|.*update.*|upgrade.*|.*_url", "it belongs to the system or the appliance"),
    (r"ldap.*|smtpauth.*", "directories are not there yet; logins are local accounts"),
    (r"bounce.*|global_bounce.*", "there is one set of retry times, under delivery; envelope senders are not tagged"),
    (r"log_.*|.*alert.*", "logs are set under logs; alerts are not there yet"),
    (r"euq|.*quarantine.*|.*spam.*|.*virus.*|.*dlp.*|encryption.*|.*filter.*|.*polic.*|dictionar.*|.*scan.*",
     "mail is not judged by its content here"),
    (r"reporting.*|tracking.*|smad|.*cluster.*", "it is not there yet"),
    (r"global_.*", _HERE),
)  # fmt: skip


def leave_listener(listener: Element, findings: Findings) -> None:
    """What a listener has beside its recipients."""
    name = listener.first("listener_name")
    label = shortened(name.value) if name is not None else "without a name"
    others = [child for child in listener.children if child.tag not in _SILENT and child.tag not in _LISTENER]
    for child in listener.children:
        if child.tag in _LISTENER and (child.value or child.children):
            findings.leave(child, _LISTENER[child.tag])
    if others:
        tags = ", ".join(dict.fromkeys(child.tag for child in others))
        findings.leave(listener, f"of the listener {label!r} these are not read: {tags}; {_HERE}")


def leave_section(element: Element, findings: Findings) -> None:
    """A whole section."""
    tag = element.tag.lower()
    reason = next((why for pattern, why in _SECTIONS if re.fullmatch(pattern, tag)), "Sealgate has nothing of the kind")
    findings.leave(element, reason)
