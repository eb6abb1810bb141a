"""A session from its options to its end."""

import contextlib
import math
import secrets
import socket
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from keras_usmae.extras import import_extra
from keras_usmae.labelling.handoff import write_handoff
from keras_usmae.labelling.session import Session
from keras_usmae.labelling.store import LabelStore, digest_files, lock_labels
from keras_usmae.labelling.traces import open_scan
from keras_usmae.picker.gates import Gate, check_gates, parse_echo, parse_gates
from keras_usmae.picker.job import ends

if TYPE_CHECKING:
    from keras_usmae.labelling.settings import LabelConfig


def label(config: "LabelConfig", folder: str | Path, port: int = 0, show: bool = True) -> list[str]:
    """Opens the page for labels, and serves it until Ctrl-C.

    Everything that can be wrong with the options is found before the page opens.

    Args:
        config: `LabelConfig`.
        folder: path of the folder with the labels. Labels that are in it are gone on with.
        port: int. Port of the loopback, `0` for a free one. Defaults to `0`.
        show: bool. Whether a browser is opened. Defaults to `True`.

    Returns:
        list of str: the lines that say how to go on with the labels.

    Raises:
        ValueError: where the options do not fit the data, or the labels there are of another scan.
        OSError: where there is nothing to read, the folder cannot be written, or another process has it.
        ImportError: without the extra `label`.

    Example:

    ```python
    from keras_usmae.labelling import LabelConfig, label

    label(LabelConfig("scan.mat", gates=("front=20us:40us",)), "scan_labels")
    ```
    """
    uvicorn = import_extra("uvicorn", "label")
    import_extra("starlette", "label")
    folder = Path(folder)
    with open_session(config, folder) as session, socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", port))
        except OSError as error:
            raise OSError(
                f"Port {port} of the loopback cannot be used ({error.strerror}). Choose another --port."
            ) from error
        from keras_usmae.labelling.server import make_app

        port, token = listening.getsockname()[1], secrets.token_urlsafe(32)
        address = f"http://127.0.0.1:{port}/?token={token}"
        settings = uvicorn.Config(
            make_app(session, token, port), log_level="error", server_header=False, timeout_graceful_shutdown=2
        )
        with contextlib.suppress(KeyboardInterrupt):
            print(f"Labels go to {folder}. The page is {address} (Ctrl-C ends it)", flush=True)
            session.work.pick()
            if show:
                webbrowser.open(address)
            uvicorn.Server(settings).run(sockets=[listening])
        print(flush=True)
        return write_handoff(session, config, folder)


@contextlib.contextmanager
def open_session(config: "LabelConfig", folder: str | Path) -> Iterator[Session]:
    """Context with a `Session`, which has its folder for itself. However it ends, processes end and the table is whole.

    Raises:
        ValueError: as `label`.
        OSError: as `label`.
    """
    with lock_labels(folder):
        session = _open(config, Path(folder))
        try:
            yield session
        finally:
            session.close()


def _open(config, folder):
    parse_echo(config.echo)
    gates = parse_gates(config.gates, config.speed_of_sound) or (Gate("onset", -math.inf, math.inf),)
    gates = tuple(sorted(gates, key=lambda gate: gate.start))  # in order of arrival, as a sidecar names echoes
    echoes = [gate.name for gate in gates]
    opened = open_scan(config, folder, lambda recording: check_gates(gates, *ends(recording), recording.source))
    traces = opened.traces
    scan = {"traces": traces.num_traces, "samples": traces.num_samples, "digest": digest_files(opened.files)}
    store = LabelStore(folder, scan, echoes, opened.place, config.who)
    return Session(config, opened, store, gates, echoes)
