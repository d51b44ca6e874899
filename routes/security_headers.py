"""Headers that keep a browser from taking an answer for more than it is."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from settings import Settings

HSTS_SECONDS = 365 * 24 * 60 * 60
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
)
HSTS = (b"strict-transport-security", b"max-age=%d" % HSTS_SECONDS)


class SecurityHeaders:
    """Adds to each answer what it does not say itself; in production over https also that it stays there."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._headers = {"http": HEADERS, "https": (*HEADERS, HSTS) if settings.is_production else HEADERS}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        ours = self._headers[scope["scheme"]]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                said = {name for name, _ in given}
                message["headers"] = [*given, *(header for header in ours if header[0] not in said)]
            await send(message)

        await self._app(scope, receive, send_with_headers)
