"""The single import point of pyarrow, which is optional: asked for by who records or plays, and by nobody else."""

from types import ModuleType
from typing import Any, NamedTuple

from bot.domain.errors import RefusedStartError


class Arrow(NamedTuple):
    """The modules of pyarrow that a recording needs; they carry no types."""

    core: Any
    compute: Any
    ipc: Any
    parquet: Any

    @property
    def broken(self) -> tuple[type[Exception], ...]:
        """What reading a damaged file raises."""
        return (self.core.lib.ArrowException, OSError, EOFError)


def arrow() -> Arrow:
    """Return pyarrow.

    Raises:
        RefusedStartError: It is not installed; the message names the cure.
    """
    try:
        modules = _imported()
    except ModuleNotFoundError as missing:
        if missing.name != "pyarrow":
            raise  # pyarrow is there, and something that it needs is not
        raise RefusedStartError(
            "recordings need the package pyarrow, which is not installed; install it: pip install 'alvh[recordings]'"
        ) from missing
    return Arrow(*modules)


def _imported() -> tuple[ModuleType, ModuleType, ModuleType, ModuleType]:
    """Import on demand: a tenth of a second that commands without a recording do not pay."""
    import pyarrow as pa  # noqa: PLC0415 - see above
    from pyarrow import compute, ipc, parquet  # noqa: PLC0415 - see above

    return pa, compute, ipc, parquet
