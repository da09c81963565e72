"""Print the scores of a ``metrics.json`` as a table: ``python scripts/print_scores.py METRICS_JSON``."""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.metrics import format_scores  # noqa: E402  (the repository must be on the path first)


def main() -> int:
    """Run the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description="Print the scores of a metrics.json as a table, in percent.")
    parser.add_argument("metrics_json", type=Path)
    path = parser.parse_args().metrics_json
    try:
        table = format_scores(json.loads(path.read_text()))
    except (OSError, json.JSONDecodeError, KeyError, TypeError) as error:
        print(f"error: {path}: not a metrics.json of the tester ({error!r})", file=sys.stderr)
        return 1
    print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
