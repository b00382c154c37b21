"""``alvh gateway ctl``: one line to a running gateway, and what it answers."""

import socket

from bot.compose.serving import control_place
from bot.domain.errors import RefusedStartError
from simulator.control import Place, UnixPlace

ANSWER_WITHIN_S = 60.0
END = b"\n\n"


def told_gateway(words: tuple[str, ...], control: str | None, port: int) -> tuple[bool, str]:
    """Send a command to a gateway; returns whether it was carried out, and the answer's text.

    Args:
        words: The command.
        control: Where its control socket is; None for the place that its port gives it.
        port: The port on which it serves clients.

    Raises:
        ConfigError: A place that is not on this machine.
        RefusedStartError: No gateway answers there.
    """
    place = control_place(control, port)
    try:
        with _connected(place) as link:
            link.sendall((" ".join(words).replace("\n", " ") + "\n").encode())
            answer = _until_end(link)
    except OSError as error:
        raise RefusedStartError(
            f"no gateway answers at {place} ({error.strerror or error}); start one with `alvh gateway`, or name its "
            "--port or --control"
        ) from error
    word, _, text = answer.partition(" ")
    return word == "ok", text.rstrip()


def _connected(place: Place) -> socket.socket:
    if isinstance(place, UnixPlace):
        link = socket.socket(socket.AF_UNIX)
        link.settimeout(ANSWER_WITHIN_S)
        try:
            link.connect(str(place.path))
        except OSError:
            link.close()
            raise
        return link
    return socket.create_connection((place.host, place.port), timeout=ANSWER_WITHIN_S)


def _until_end(link: socket.socket) -> str:
    """Return everything up to the empty line that ends an answer."""
    answer = b""
    while not answer.endswith(END):
        piece = link.recv(65536)
        if not piece:
            break
        answer += piece
    return answer.decode("utf-8", "replace")
