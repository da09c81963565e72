"""The scripts that prepare and draw the benchmarks of colour pictures."""

import pytest

from lib.datasets.rgb_benchmarks.raw import BENCHMARKS
from lib.synthetic.rgb.database import WRITERS
from scripts.synthesize_rgb import main


def test_every_benchmark_can_be_drawn():
    assert list(WRITERS) == list(BENCHMARKS)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_script_prepares_the_benchmark_of_its_folder(name, sandbox):
    sandbox.add(sandbox.repo / ".venv/bin/python", '#!/usr/bin/env bash\nprintf "%s\\n" "$@"\n')
    done = sandbox.bash(f"scripts/{name}/prepare_data.sh", "RAW", "OUT", "--workers", "1")
    assert done.stdout.splitlines() == [
        *(str(sandbox.repo / "scripts/prepare_rgb.py"), name),
        *("RAW", "OUT", "--workers", "1"),
    ]


def test_a_folder_of_something_else_is_not_drawn_into(tmp_path, capsys):
    assert main(["lip", str(tmp_path), "--train", "1", "--val", "1"]) == 0
    assert main(["lip", str(tmp_path), "--train", "1", "--val", "1"]) == 0
    assert main(["ade20k", str(tmp_path)]) == 2
    assert "made with" in capsys.readouterr().err
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "photo.jpg").write_bytes(b"x")
    assert main(["ade20k", str(tmp_path / "mine")]) == 2
    assert main(["lip", str(tmp_path / "new"), "--val", "0"]) == 2
    assert "at least one picture" in capsys.readouterr().err
