"""The command ``alvh``: runs the command line and turns errors into one clear line and an exit code."""

import sys
import traceback

import click

from bot.cli.root import alvh
from bot.compose.guard import refuse_strangers
from bot.domain.errors import AlvhError, ConfigError, RefusedStartError

DONE, BAD_USAGE, REFUSED_START, INTERNAL_FAULT, INTERRUPTED = 0, 2, 3, 5, 130


def main() -> None:
    """Run one command; never shows a traceback for what a user can mend."""
    try:
        refuse_strangers()
        code = alvh.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = BAD_USAGE
    except click.exceptions.Abort:
        code = INTERRUPTED
    except AlvhError as error:
        click.echo(f"alvh: {error}", err=True)
        code = code_of(error)
    except Exception:  # noqa: BLE001 - the last one to hear of a fault of ours: show it whole, with its exit code
        traceback.print_exc()
        code = INTERNAL_FAULT
    sys.exit(code if isinstance(code, int) else DONE)


def code_of(error: AlvhError) -> int:
    """Return the exit code of an error: 2 for what was asked wrongly, 3 where nothing could start, 5 otherwise."""
    if isinstance(error, ConfigError):
        return BAD_USAGE
    return REFUSED_START if isinstance(error, RefusedStartError) else INTERNAL_FAULT


if __name__ == "__main__":
    main()
