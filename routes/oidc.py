"""Logging in from a browser by an OpenID Connect provider.

    GET /oidc/{name}/login?return_to=…&state=…    sends the browser to the provider
    GET /oidc/{name}/callback                     opens a session of ours for who comes back from there

The page at `return_to`, one of the configured addresses, is told in its fragment: `refresh_token`, which gets
the session's tokens by `refreshSession`, once and within a minute; or `error` and `error_description`; and
`state` as it was given. Where no address is configured, the answers are JSON.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from auth.code_flow import CodeFlow, LoginFailed, with_fragment
from auth.login_states import LOGIN_SECONDS_MAX, LoginState, LoginStates
from auth.rate_limits import Door, RateLimited
from auth.tokens import CannotTell
from routes.callers import caller_of
from schema.context import House
from steps.faults import is_passing
from steps.log_in import LoggedIn
from steps.refusals import RefusalCode, Refused
from steps.transact import transact
from steps.welcome import welcome_and_log_in

NOT_KEPT = {"cache-control": "no-store", "referrer-policy": "no-referrer"}
SAID_CHARACTERS_MAX = 500
NOT_BEGUN_HERE = "This login was not begun in this browser, or more than 10 minutes ago; begin again."


def oidc_routes(house: House) -> Sequence[BaseRoute]:
    """Two routes for each provider that browsers may log in by."""
    issuers = house.visitors.issuers
    routes: list[BaseRoute] = []
    for name, issuer in issuers.by_name.items():
        if issuer.config.login and issuers.outbound:
            login = _Login(house, name, CodeFlow(issuer, issuers.outbound))
            routes += [
                Route(f"/oidc/{name}/login", login.begin),
                Route(f"/oidc/{name}/callback", login.finish),
            ]
    return routes


class _Login:
    """The login by one provider."""

    def __init__(self, house: House, name: str, flow: CodeFlow) -> None:
        self._house, self._name, self._flow = house, name, flow
        self._states = LoginStates(house.settings)
        self._cookie_options = {
            "path": f"/oidc/{name}",
            "secure": flow.config.redirect_uri.startswith("https:"),
            "httponly": True,
            "samesite": "lax",
        }

    async def begin(self, request: Request) -> Response:
        """Send a browser to the provider, with a cookie that knows this login again."""
        return_urls, query = self._flow.config.return_urls, request.query_params
        return_url = query.get("return_to", return_urls[0] if return_urls else None)
        if return_url is not None and return_url not in return_urls:
            return _json({"error": "invalid_request", "error_description": "return_to is not allowed."}, 400)
        said = query.get("state", "")
        if len(said) > SAID_CHARACTERS_MAX:
            return _json({"error": "invalid_request", "error_description": "state is too long."}, 400)
        state = self._states.begin(self._name, return_url, said)
        try:
            address = await self._flow.address(state)
        except CannotTell as error:
            return self._failure(LoginFailed("temporarily_unavailable", str(error)), state)
        response = RedirectResponse(address, 302, NOT_KEPT)
        options: dict[str, Any] = self._cookie_options
        kept = self._states.write(state)
        response.set_cookie(_cookie(state.id), kept, max_age=LOGIN_SECONDS_MAX, **options)
        return response

    async def finish(self, request: Request) -> Response:
        """Open a session for who comes back, once for each cookie."""
        id = request.query_params.get("state", "")
        state = self._states.read(request.cookies.get(_cookie(id), ""), self._name, id)
        if state is None:
            return _json({"error": "invalid_request", "error_description": NOT_BEGUN_HERE}, 400)
        try:
            await self._house.rate_limits.count(Door.LOGIN, caller_of(request))
            response = self._success(await self._logged_in(request, state), state)
        except LoginFailed as failed:
            response = self._failure(failed, state)
        except RateLimited as limited:
            return self._failure(LoginFailed("temporarily_unavailable", str(limited)), state)
        options: dict[str, Any] = self._cookie_options
        response.delete_cookie(_cookie(id), **options)
        return response

    async def _logged_in(self, request: Request, state: LoginState) -> LoggedIn:
        query = request.query_params
        if query.get("iss", self._flow.issuer_url) != self._flow.issuer_url:
            raise LoginFailed("invalid_request", "The answer is of another provider.")
        if "error" in query:
            raise LoginFailed(query["error"], query.get("error_description", "The provider said no."))
        try:
            return await transact(
                self._house.database,
                welcome_and_log_in,
                person=await self._flow.introduced_by(query.get("code", ""), state),
                tokens=self._house.refresh_tokens,
                device=request.headers.get("user-agent", "unknown"),
                is_handed_over=state.return_url is not None,
            )
        except Refused as refused:
            is_out = refused.code is RefusalCode.USER_DEACTIVATED
            error = "access_denied" if is_out else "temporarily_unavailable"
            raise LoginFailed(error, str(refused)) from None
        except CannotTell as error:
            raise LoginFailed("temporarily_unavailable", str(error)) from None
        except Exception as error:
            if is_passing(error):
                raise LoginFailed("temporarily_unavailable", "Try again in a moment.") from None
            raise

    def _success(self, logged_in: LoggedIn, state: LoginState) -> Response:
        if state.return_url is not None:
            return _back(state, {"refresh_token": logged_in.refresh_token})
        tokens = self._house.tokens
        body = {
            "accessToken": tokens.make(logged_in.user.id, logged_in.roles, logged_in.session_id),
            "refreshToken": logged_in.refresh_token,
            "tokenType": "Bearer",
            "expiresIn": tokens.lifetime_seconds,
        }
        return _json(body, 200)

    def _failure(self, failed: LoginFailed, state: LoginState) -> Response:
        said = {"error": failed.error, "error_description": str(failed)}
        if state.return_url is not None:
            return _back(state, said)
        return _json(said, 503 if failed.error == "temporarily_unavailable" else 400)


def _back(state: LoginState, said: dict[str, str]) -> Response:
    assert state.return_url is not None
    said |= {"state": state.said} if state.said else {}
    return RedirectResponse(with_fragment(state.return_url, said), 303, NOT_KEPT)


def _cookie(id: str) -> str:
    """A cookie for each login, so that two tabs do not disturb each other."""
    return f"rowlock-login-{id}"


_json = partial(JSONResponse, headers=NOT_KEPT)
