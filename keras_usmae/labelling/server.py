"""The page's server: loopback only, for whoever has the token, and nothing from elsewhere."""

import contextlib
import hmac
import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from keras_usmae.extras import import_extra
from keras_usmae.labelling.session import Refused

if TYPE_CHECKING:
    from keras_usmae.labelling.session import Session


COOKIE = "usmae_label"
_MAX_BODY = 10_000  # bytes
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}
# Scripts and styles are this server's own, and nothing else is asked for, whatever a text on the page may hold.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def make_app(session: "Session", token: str, port: int) -> Any:
    """The application.

    Every request must come to a name of the loopback (a page of somebody else's, whose name is made to lead here, does
    not), bring the token in its cookie, and, where it changes something, come from the page itself. The token is in
    the address that is printed; it is taken from there into the cookie at once.

    Args:
        port: int, that the server listens to.
    """
    import_extra("starlette", "label")
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
    from starlette.routing import Route

    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
    cookie = f"{COOKIE}_{port}"  # cookies know no ports: two sessions must not take each other's

    def refuse(text, status):
        return PlainTextResponse(text, status, headers=_HEADERS)

    def check(request):
        if request.headers.get("host") not in hosts:
            return refuse("Open the address that `usmae label` prints.", 421)
        if request.method != "GET" and request.headers.get("origin") not in {f"http://{host}" for host in hosts}:
            return refuse("Only the page itself may do this.", 403)
        if not hmac.compare_digest(request.cookies.get(cookie, "").encode(), token.encode()):
            return refuse("This needs the token: open the address that `usmae label` prints.", 403)
        return None

    async def page(request):
        given = request.query_params.get("token")
        if given is not None and request.headers.get("host") in hosts:
            if not hmac.compare_digest(given.encode(), token.encode()):
                return refuse("This is the token of another session: open the address that was printed last.", 403)
            answer = RedirectResponse("/", 303, headers=_HEADERS)
            answer.set_cookie(cookie, token, httponly=True, samesite="lax", path="/")
            return answer
        return check(request) or serve("index.html")

    async def asset(request):
        return check(request) or serve(request.path_params["name"])

    def serve(name):
        if name not in ASSETS:
            return refuse("There is no such file.", 404)
        return Response(ASSETS[name], media_type=_TYPES[name[name.rindex(".") :]], headers=_HEADERS)

    async def facts(request):
        return check(request) or JSONResponse(session.facts(), headers=_HEADERS)

    async def state(request):
        if refused := check(request):
            return refused
        page, version = request.query_params.get("page", ""), request.query_params.get("version", "")
        found = await run_in_threadpool(session.state, page, int(version) if version.isdecimal() else -1)
        return JSONResponse(found, headers=_HEADERS)

    async def trace(request):
        if refused := check(request):
            return refused
        try:
            content = await run_in_threadpool(session.view, request.path_params["number"])
        except Refused as error:
            return refuse(str(error), 404)
        return Response(content, media_type="application/octet-stream", headers=_HEADERS)

    async def act(request):
        if refused := check(request):
            return refused
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > _MAX_BODY:
                return refuse("This is too long.", 413)
        asked = None
        with contextlib.suppress(ValueError, RecursionError):
            asked = json.loads(body)
        if not isinstance(asked, dict):
            return refuse("This is no JSON object.", 400)
        try:
            found = await run_in_threadpool(session.act, request.path_params["name"], asked)
        except Refused as error:
            return JSONResponse({"refused": str(error)}, 409, headers=_HEADERS)
        except OSError as error:
            return JSONResponse({"refused": f"The label could not be written: {error}"}, 507, headers=_HEADERS)
        return JSONResponse(found, headers=_HEADERS)

    return Starlette(
        routes=[
            Route("/", page),
            Route("/page/{name}", asset),
            Route("/facts", facts),
            Route("/state", state),
            Route("/trace/{number:int}", trace),
            Route("/act/{name}", act, methods=["POST"]),
        ]
    )


def _read_assets():
    folder = resources.files("keras_usmae.labelling") / "page"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.name.endswith(tuple(_TYPES))}


ASSETS = _read_assets()
