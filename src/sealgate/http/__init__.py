"""What REST, Classic UI and NGUI have in common: HTTPS on the gateway's own TLS layer, and who comes in.

How to build on it
==================

- `app/gui.py` assembles both ports. A face brings a list of Starlette routes and is added there, to the application of
  its port (`config.schema.gui`: CLASSIC on 8443 or 443, NGUI on 4431); REST is on both. `application.build_app` puts
  them behind the guard. Nobody else listens, and there is no other way to an answer than through the guard.
- The guard (`guard.py`) has done these before a route is reached: the id of the request (`request.state.request_id`),
  the host (`host.py`), the size of the body (`gui.max_body`; what is sent in chunks ends the request with 413 while it
  is read). Behind a route it adds the fields of every response (`headers.py`): CSP without anything inline, no framing,
  no referrer, `cache-control: no-store`. A route that serves a file that is the same for everybody sets its own
  `cache-control`; the others cannot be overridden. So pages have no inline script, no inline style, no `style=`
  attribute, no event attribute; images may be `data:`.
- A request is refused by raising `problem.Refusal(status, sentence, **members)`. It becomes a problem (RFC 9457); a
  face with pages gives its routes a handler of its own. What a route raises by accident is a 500 with the id of the
  request, and a line in the log; nothing of it is told.
- `request.state.connection` is the `HttpsConnection`: `peer_ip`, `hcid`, `outcome` (what the handshake agreed on),
  `shaken_at`. An operator who asks is an `Operator` whose `since` is `shaken_at` of his connection: a commit that has
  to be confirmed is confirmed by a handshake newer than the commit, never by an older connection (`control/confirm.py`
  refuses with a sentence, which is a 409).
- Who comes in: `entrance.py`. `entrance.caller(request, face)` gives the `Caller` of a request, or refuses it with 401
  or 403; `await entrance.form(request, face)` does the same for the form of a page, which carries `caller.csrf` in the
  hidden field `csrf`; requests of scripts that change something carry it in `X-CSRF-Token`. `face` is "web", "ngui" or
  "rest". Requests that a page makes by itself carry `X-Background: 1`, so that they keep no session alive. A page that
  logs in calls `entrance.login(request, face, name, passphrase, "cookie")` and `set_cookie`; REST has `login.py`.
  Cookies know no ports: a login on one port is one on both. Behind a change of one's own passphrase:
  `entrance.passphrase_changed(caller)`.
- What is asked of control: `await asked(service, caller, op, body)` (`asking.py`), the requests of `control/roles.py`
  with their roles; refusals become 403, 409, 503, 504. API tokens are the requests `tokens`, `token-make` (name, scope,
  days) and `token-revoke` (number). A token of the scope `metrics` is `caller.metrics_only`: it reads the counters, and
  `asked` refuses it everything else. A commit that switches the GUI off is refused from these faces.
- On record (`RequestAnswered`) are requests that change something and those that were refused, with method, path and
  status. Never put a secret into a path; queries, header fields and bodies are not kept.
- A commit swaps the contexts and ends connections whose version or suite is withdrawn, each after the answer it is
  giving (`server.py`). Streams that never end keep theirs open: end one yourself when `connection.ending` is true.
- Slow work belongs in threads or in control's desks: everything here shares one event loop with the operators' socket.
"""
