"""Every command of the dialogue."""

from __future__ import annotations

from sealgate.cli.dialogue.certconfig import CERTCONFIG
from sealgate.cli.dialogue.command import Command
from sealgate.cli.dialogue.committing import COMMIT, CONFIRM
from sealgate.cli.dialogue.configfile import LOADCONFIG, SAVECONFIG, SHOWCONFIG
from sealgate.cli.dialogue.destconfig import DESTCONFIG
from sealgate.cli.dialogue.handshakes import HANDSHAKES
from sealgate.cli.dialogue.history import COMMITDETAIL, ROLLBACKCONFIG
from sealgate.cli.dialogue.hoststate import HOSTSTATUS, TOPHOSTS, WORKQUEUE
from sealgate.cli.dialogue.listenerconfig import LISTENERCONFIG
from sealgate.cli.dialogue.maillog import GREP, TAIL
from sealgate.cli.dialogue.pending import CLEARCHANGES, SHOWCHANGES
from sealgate.cli.dialogue.queueacts import (
    BOUNCERECIPIENTS,
    DELETERECIPIENTS,
    DELIVERNOW,
    SHOWMESSAGE,
    SHOWRECIPIENTS,
)
from sealgate.cli.dialogue.setconfig import DELIVERYCONFIG, DNSCONFIG, LOGCONFIG, SETCONFIG, SETHOSTNAME
from sealgate.cli.dialogue.smtpauthconfig import SMTPAUTHCONFIG
from sealgate.cli.dialogue.smtproutes import SMTPROUTES
from sealgate.cli.dialogue.sslconfig import SSLCONFIG
from sealgate.cli.dialogue.state import STATUS, VERSION
from sealgate.cli.dialogue.suspending import (
    RESUME,
    RESUMEDEL,
    RESUMELISTENER,
    SHUTDOWN,
    SUSPEND,
    SUSPENDDEL,
    SUSPENDLISTENER,
)
from sealgate.cli.dialogue.userconfig import USERCONFIG

COMMANDS: tuple[Command, ...] = (
    SSLCONFIG,
    CERTCONFIG,
    COMMIT,
    CONFIRM,
    COMMITDETAIL,
    SHOWCHANGES,
    CLEARCHANGES,
    ROLLBACKCONFIG,
    SAVECONFIG,
    LOADCONFIG,
    SHOWCONFIG,
    STATUS,
    VERSION,
    LISTENERCONFIG,
    DESTCONFIG,
    SMTPROUTES,
    SMTPAUTHCONFIG,
    USERCONFIG,
    SETHOSTNAME,
    DELIVERYCONFIG,
    DNSCONFIG,
    LOGCONFIG,
    SETCONFIG,
    WORKQUEUE,
    SHOWRECIPIENTS,
    SHOWMESSAGE,
    DELETERECIPIENTS,
    BOUNCERECIPIENTS,
    DELIVERNOW,
    TOPHOSTS,
    HOSTSTATUS,
    SUSPENDLISTENER,
    RESUMELISTENER,
    SUSPENDDEL,
    RESUMEDEL,
    SUSPEND,
    RESUME,
    SHUTDOWN,
    TAIL,
    GREP,
    HANDSHAKES,
)
