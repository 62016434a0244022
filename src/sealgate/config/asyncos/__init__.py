"""Reading an AsyncOS configuration file: text in, values and sentences out.

A saved file is `<config>` behind `<!DOCTYPE config SYSTEM "config.dtd">`, mostly in ISO-8859-1, with the product and
its version in a comment at the head. Any complete section may stand in it alone.

Known from published tools that read such files: `hostname`; `ssl` with `ssl_inbound_method`, `ssl_inbound_ciphers`,
`ssl_outbound_method`, `ssl_outbound_ciphers`; `listeners/listener` with `listener_name`, `type`, `hat` and
`rat/rat_entry` (`rat_address`, `access`, `rat_params/smtp_response_text`). Known from published manuals: the words of
methods, of cipher strings and of the recipient access table, the syntax of the hosts of a route (`/pri=`, `/dev/null`,
USEDNS), and the parameters of destination controls with their values.

Inferred, and so read in more than one spelling: `ssl_gui_method`, `ssl_gui_ciphers` and the TLS 1.0 of other clients;
the elements of SMTP routes and of destination controls, which are told by what their names contain.

Liberal in what is accepted, strict in what is produced: a value that cannot be understood refuses the file, what has no
counterpart here is listed as left out, and what is kept in another form is listed as changed.
"""

from sealgate.config.asyncos.laying import Import, import_asyncos, lay
from sealgate.config.asyncos.reading import Reading, read

__all__ = ["Import", "Reading", "import_asyncos", "lay", "read"]
