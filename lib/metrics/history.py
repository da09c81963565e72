"""The history of a run: losses, scores and rates over its iterations, as a table beside its checkpoints.

The file is ``<name>_history.csv``; learning curves in reports are drawn from it.
"""

import csv
from pathlib import Path

from lib.utils.files import atomic_write

COLUMNS = ("iteration", "kind", "name", "value")


class History:
    """Appends to a table with the columns :data:`COLUMNS`, one number a row.

    Args:
        path: of the table. Rows up to iteration ``start`` are kept, those of a run that was cut off after it are not.
        start: iterations done before.

    Raises:
        OutputError: the table can't be written.
    """

    def __init__(self, path: Path, start: int) -> None:
        rows = [row for row in read_history(path) if row[0] <= start] if start and path.exists() else []
        with atomic_write(path, "w", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
        self._path = path

    def append(self, iteration: int, kind: str, values: dict[str, float | None]) -> None:
        """Add the values that are there.

        Raises:
            OSError: the table can't be written.
        """
        rows = [(iteration, kind, name, value) for name, value in values.items() if value is not None]
        with open(self._path, "a", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)


def read_history(path: Path) -> list[tuple[int, str, str, float]]:
    """The rows (iteration, kind, name, value) of a table; a row that a killed run wrote by half is left out."""
    rows = []
    with open(path, newline="") as file:
        for row in csv.reader(file):
            try:
                iteration, kind, name, value = row
                number = (int(iteration), kind, name, float(value))
            except ValueError:
                continue
            rows.append(number)
    return rows
