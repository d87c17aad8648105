"""What a recorded run must be to be replayed: ended well, its trace whole and of this semcast."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ... import __version__
from ...agents.base import PAYLOADS
from ...bus.envelope import Codec
from ...bus.errors import BadInput, RunFailed
from ...bus.trace_reading import TraceReader, TraceRecord
from .. import folder as folders


def read(run: Path, agent: str | None = None, kind: str | None = None) -> list[TraceRecord]:
    """Records of a run in key order, private ones included.

    Args:
        run: Run folder.
        agent: Only those from or to this agent.
        kind: Only those of this kind.

    Raises:
        BadInput: There is no trace, or one of a newer semcast.
        RunFailed: A segment is damaged, cut or may not be read (segment and chunk are named), or holds records that this
            semcast does not know.
    """
    reader = TraceReader(run, Codec(PAYLOADS))
    refuse_newer(run, reader)
    records = list(reader.records(agent=agent, kind=kind))
    if reader.cut:
        listed = "".join(f"\n  - segment {name}: {reason}" for name, reason in reader.cut)
        raise RunFailed(
            f"{run}: its trace cannot be read as a whole:{listed}",
            f"keep what can be read: semcast trace {run} --repair; make it again: semcast run {run / folders.SCENARIO_FILE}",
        )
    refuse_unknown(run, records)
    return records


def refuse_newer(run: Path, reader: TraceReader) -> None:
    """See that no newer semcast made a run: what that means by its records, this one cannot know.

    Raises:
        BadInput: A newer one made it; both are named.
    """
    made = newer(reader)
    if made:
        raise BadInput(
            f"{run} was made by semcast {made}, and this is semcast {__version__}",
            f"take semcast {made}, or look at its records with this one: semcast trace {run}",
        )


def newer(reader: TraceReader) -> str:
    """The version that made a run, if it is newer than this one by its first two numbers; else empty."""
    made = reader.metadata.get("version.semcast", "")
    return made if _numbers(made) > _numbers(__version__) else ""


def _numbers(version: str) -> tuple[int, ...]:
    match = re.match(r"(\d{1,9})\.(\d{1,9})", version)
    return (int(match[1]), int(match[2])) if match else ()


def refuse_unknown(run: Path, records: Iterable[TraceRecord]) -> None:
    """See that this semcast knows the kinds of all records.

    Raises:
        RunFailed: It does not know one, which is named, with the version that made it.
    """
    unknown = next((record for record in records if isinstance(record.envelope.payload, dict)), None)
    if unknown is not None:
        where = f"{unknown.envelope.source} record {unknown.envelope.sequence}, of kind {unknown.kind}"
        made = folders.read_run(run).get("versions", {}).get("semcast", "another")
        raise RunFailed(f"{run}: this semcast does not understand {where}", f"the run was made by semcast {made}")


def ended_well(run: Path) -> dict[str, Any]:
    """The content of ``run.json``.

    Raises:
        BadInput: No run folder, or a run that did not end well.
    """
    state = folders.read_run(run)
    if state.get("status") != "ok":
        raise BadInput(f"{run}: its status is {state.get('status')!r}", "only a run that ended well can be replayed")
    return state
