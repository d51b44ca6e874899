"""What `rowlock` says, run in this process: to start one of its own takes longer than most commands do."""

import asyncio
from collections.abc import Mapping

from typer.testing import CliRunner

from cli import cli


async def said(environment: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """The exit status of a command, and all that it said; it ends of itself, and never by an error."""
    result = await asyncio.to_thread(CliRunner().invoke, cli, arguments, env=environment)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output
