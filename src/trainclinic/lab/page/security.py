"""Only this machine's own page may talk to the lab: Host and Origin of every request are checked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Call = Callable[[Scope, Any, Any], Awaitable[None]]

LOCAL = frozenset({"127.0.0.1", "localhost", "[::1]"})


class OwnPageOnly:
    """ASGI middleware: refuses what comes under another name (DNS rebinding) or from another site's page.

    Args:
        app: what is protected.
        hosts: names under which the lab may be asked for.
    """

    def __init__(self, app: Call, hosts: frozenset[str] = LOCAL) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass on what is allowed; answer 403 to what is not."""
        if scope["type"] in ("http", "websocket") and not self._allowed(scope):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                headers = [(b"content-type", b"text/plain; charset=utf-8")]
                await send({"type": "http.response.start", "status": 403, "headers": headers})
                await send({"type": "http.response.body", "body": b"trainclinic lab: this machine's own page only\n"})
            return
        await self._app(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        host = headers.get(b"host", "")
        if _name(host) not in self._hosts:
            return False
        origin = headers.get(b"origin")
        return origin is None or urlsplit(origin).netloc == host


def _name(host: str) -> str:
    """The host without its port; an IPv6 address keeps its brackets."""
    return host.rsplit(":", 1)[0] if ":" in host and not host.endswith("]") else host
