"""Rows <-> ``metrics.parquet``."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from .row import Row


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write rows; columns as in `Row`, also when there are none."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    kinds = {str: pa.string(), int: pa.int64(), int | None: pa.int64(), float: pa.float64(), float | None: pa.float64()}
    schema = pa.schema([(field.name, kinds[field.type]) for field in msgspec.structs.fields(Row)])
    part = path.with_name(path.name + ".part")
    columns = [pa.array([getattr(row, field.name) for row in rows], field.type) for field in schema]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), part)
    part.replace(path)


def read_rows(path: Path) -> list[Row]:
    """Read rows."""
    import pyarrow.parquet as pq

    return [msgspec.convert(row, Row) for row in pq.read_table(path).to_pylist()]
