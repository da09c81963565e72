"""Files that runs wrote are theirs to replace; all others stay, whatever they are called."""

import os

import pytest

from lib.utils.errors import ConfigError, OutputError
from lib.utils.manifest import Manifest, refuse_sources


def write(manifest, name, content="by a run"):
    path = manifest.folder / name
    with manifest.writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return path


def test_a_runs_own_files_go_and_others_of_any_name_stay(tmp_path):
    own = write(Manifest(tmp_path, "results"), "label/a.png")
    other = tmp_path / "label/b.png"
    other.write_text("by hand")
    manifest = Manifest(tmp_path, "results")
    manifest.refuse_others([own, tmp_path / "label/none.png"], "choose another")
    with pytest.raises(OutputError, match=r"label/b\.png.*choose another"):
        manifest.refuse_others([own, other], "choose another")
    manifest.clear()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["b.png", "label"]


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_file_that_was_changed_since_is_nobody_elses_to_remove(tmp_path, change):
    path = write(Manifest(tmp_path, "results"), "label/a.png")
    if change == "size":
        path.write_text("mended by hand")
    else:
        os.utime(path, (0, 0))
    manifest = Manifest(tmp_path, "results")
    with pytest.raises(OutputError, match="changed since"):
        manifest.refuse_others([path], "choose another")
    manifest.clear()
    assert path.exists()


def test_what_a_killed_run_began_is_known_and_cut_lines_are_not_read(tmp_path):
    (tmp_path / "x.png").write_text("half")
    (tmp_path / ".written-results-3.jsonl").write_text('["x.png"]\n["../y.png"]\n["/etc/passwd"]\n7\n["cut o')
    assert Manifest(tmp_path, "results").own_files() == [tmp_path / "x.png"]


def test_other_kinds_and_ranks(tmp_path):
    write(Manifest(tmp_path, "export"), "net.onnx")
    paths = [write(Manifest(tmp_path, "results", rank), f"{rank}.png") for rank in (0, 1)]
    manifest = Manifest(tmp_path, "results")
    assert manifest.own_files() == paths
    manifest.clear()
    assert (tmp_path / "net.onnx").exists()
    assert not manifest.exists()
    assert Manifest(tmp_path, "export").exists()


def test_file_names_of_any_bytes(tmp_path):
    name = os.fsdecode(b"J\xfcrgen.png")
    path = write(Manifest(tmp_path, "results"), name)
    assert Manifest(tmp_path, "results").own_files() == [path]


def test_a_folder_that_is_read_is_not_written_to(tmp_path):
    (tmp_path / "data/label").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    for out in ("data", "data/../data", "link"):
        with pytest.raises(ConfigError, match="is read from.*name another"):
            refuse_sources(tmp_path / out, ["label"], [tmp_path / "data"], "name another")
    with pytest.raises(ConfigError, match="is read from"):
        refuse_sources(tmp_path / "data", ["label"], [tmp_path / "data/label"], "name another")
    refuse_sources(tmp_path / "out", ["label"], [tmp_path / "data"], "name another")
