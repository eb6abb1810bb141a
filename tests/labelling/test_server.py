"""What the server answers, and to whom."""

import asyncio
import json

import pytest

pytest.importorskip("starlette", reason="the extra label is not installed")

from keras_usmae.labelling.server import ASSETS, make_app

PORT, TOKEN = 8765, "the-token"
HOST, ORIGIN = f"127.0.0.1:{PORT}", f"http://127.0.0.1:{PORT}"
COOKIE = f"usmae_label_{PORT}={TOKEN}"


@pytest.fixture
def ask(session):
    """Asks the application: status, headers, body."""
    app = make_app(session, TOKEN, PORT)

    def ask(path, method="GET", body=b"", **headers):
        given = {"host": HOST, "cookie": COOKIE, "origin": ORIGIN, **headers}
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value is not None],
        }
        sent = []

        async def receive():
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message):
            sent.append(message)

        asyncio.run(app(scope, receive, send))
        answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent)

    return ask


LABEL = json.dumps({"page": "a", "trace": 1, "echo": 0, "mark": "sure", "onset": 10.5}).encode()


def test_the_token_of_the_address_becomes_a_cookie_that_scripts_do_not_see(ask):
    status, headers, _ = ask(f"/?token={TOKEN}", cookie=None, origin=None)
    assert (status, headers["location"]) == (303, "/")
    assert headers["set-cookie"].startswith(COOKIE)
    assert "HttpOnly" in headers["set-cookie"]
    assert ask("/", origin=None)[0] == 200


PATHS = ["/", "/facts", "/state?page=a", "/trace/0", "/page/app.js"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"cookie": None}, 403),
        ({"cookie": COOKIE + "x"}, 403),
        ({"cookie": "usmae_label_1=" + TOKEN}, 403),
        ({"host": f"example.org:{PORT}"}, 421),
        ({"host": None}, 421),
        ({"host": "127.0.0.1:1"}, 421),
    ],
)
def test_nothing_is_shown_without_the_token_or_under_another_name(ask, path, headers, status):
    answered, _, body = ask(path, **headers)
    assert answered == status
    assert b"scan.npy" not in body


@pytest.mark.parametrize(
    "headers",
    [{"origin": None}, {"origin": "https://example.org"}, {"origin": "null"}, {"cookie": None}, {"host": "evil:8765"}],
)
def test_no_other_page_labels(ask, session, headers):
    assert ask("/act/label", "POST", LABEL, **headers)[0] in (403, 421)
    assert not session.store.labels.can_undo


def test_a_wrong_token_is_told_and_sets_nothing(ask):
    status, headers, _ = ask("/?token=x", cookie=None)
    assert status == 403
    assert "set-cookie" not in headers


def test_every_answer_forbids_what_is_from_elsewhere(ask):
    for path in (*PATHS, f"/?token={TOKEN}", "/page/none.js"):
        _, headers, _ = ask(path)
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy
        assert headers["x-content-type-options"] == "nosniff"


def test_labels_come_and_are_kept(ask, session):
    status, _, body = ask("/act/label", "POST", LABEL)
    assert status == 200
    assert json.loads(body)["go"]["trace"] != 1
    assert session.store.labels.of("onset").onset[1] == 10.5


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 5000, b'"x"'])
def test_what_is_no_object_is_refused(ask, body):
    assert ask("/act/label", "POST", body)[0] == 400


def test_what_is_too_long_is_refused(ask):
    assert ask("/act/label", "POST", b" " * 20_000)[0] == 413


@pytest.mark.parametrize("path", ["/page/../server.py", "/page/%2e%2e", "/page/", "/trace/64", "/trace/x", "/none"])
def test_there_are_no_other_files_and_traces(ask, path):
    assert ask(path)[0] == 404


def test_a_label_that_cannot_be_written_is_not_told_to_be_kept(ask, session, monkeypatch):
    def full(entry):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(session.store._journal, "append", full)
    status, _, body = ask("/act/label", "POST", LABEL)
    assert status == 507
    assert "No space left" in json.loads(body)["refused"]
    assert not session.store.labels.can_undo


def test_no_address_outside_is_in_the_assets():
    own = {name: text.decode() for name, text in ASSETS.items() if not name.startswith("uPlot")}
    assert set(own) >= {"index.html", "app.js", "style.css"}
    for name, text in own.items():
        assert "//" not in text.replace("// ", "").replace("http://www.w3.org", ""), name
        assert "innerHTML" not in text
        assert "eval(" not in text
