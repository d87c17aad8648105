"""What a recorded run must be to be replayed: ended well, its trace whole and of this semcast."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

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
        BadInput: There is no trace.
        RunFailed: A segment is damaged, cut or may not be read (segment and chunk are named), or holds records that this
            semcast does not know.
    """
    reader = TraceReader(run, Codec(PAYLOADS))
    records = list(reader.records(agent=agent, kind=kind))
    if reader.cut:
        listed = "".join(f"\n  - segment {name}: {reason}" for name, reason in reader.cut)
        raise RunFailed(
            f"{run}: its trace cannot be read as a whole:{listed}", "the run can be made again from its scenario.toml"
        )
    refuse_unknown(run, records)
    return records


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
