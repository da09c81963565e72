"""scripts/predict.sh: the command that it makes."""

import shlex

import pytest

from lib.utils.cli import parse_command_line


def dry_run(sandbox, *arguments):
    done = sandbox.bash("scripts/predict.sh", *arguments, "--dry_run")
    assert done.returncode == 0, done.stderr
    command = shlex.split(done.stdout)
    assert command[:2] == [str(sandbox.repo / ".venv/bin/python"), str(sandbox.repo / "main.py")]
    line = parse_command_line(command[2:])
    assert line.flags["phase"] == "predict"
    return line


@pytest.mark.parametrize(
    "arguments",
    [
        ("--resume", "a net.pth", "in put", "out"),
        ("in put", "out", "--resume", "a net.pth"),
        ("--resume=a net.pth", "in put", "out"),
        ("in put", "--resume", "a net.pth", "out"),
    ],
)
def test_checkpoint_input_and_output_reach_main(ready, arguments):
    line = dry_run(ready, *arguments)
    assert line.configs == ""
    expected = {"phase": "predict", "network.resume": "a net.pth", "predict.input": "in put", "test.out_dir": "out"}
    assert line.flags == expected


def test_without_a_checkpoint_the_network_of_the_repository_is_taken(ready):
    resume = dry_run(ready, "in", "out").flags["network.resume"]
    assert resume == str(ready.repo / "lib/models/pretrained/face.pth")


def test_further_arguments_go_to_main(ready):
    line = dry_run(
        *(ready, "--resume", "net.pth", "-", "out", "--fps", "8.7", "--raw_size", "320", "256"),
        *("--configs", "my.yaml", "--save_prob", "y", "test.mode", "ms_test"),
    )
    assert line.configs == "my.yaml"
    assert line.pairs == ["test.mode=ms_test"]
    flags = line.flags
    assert (flags["predict.input"], flags["predict.fps"], flags["test.save_prob"]) == ("-", 8.7, True)
    assert flags["data.raw_size"] == [320, 256]


def test_the_command_is_run(ready):
    (ready.repo / "main.py").write_text("import sys\nprint(sys.argv[1:])\nsys.exit(3)\n")
    done = ready.bash("scripts/predict.sh", "--resume", "net.pth", "in", "out", "--erode", "2")
    assert done.returncode == 3
    wanted = ["--phase", "predict", "--resume", "net.pth", "--input", "in", "--out_dir", "out", "--erode", "2"]
    assert done.stdout.strip() == str(wanted)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--resume", "net.pth"), "expected INPUT and OUT"),
        (("--resume", "net.pth", "in"), "expected INPUT and OUT"),
        (("in", "out", "--resume"), "--resume needs the checkpoint's path"),
        (("--resume", "net.pth", "--fps", "10", "in", "out"), "before other arguments, got '--fps'"),
    ],
)
def test_what_is_missing_is_named(ready, arguments, complaint):
    done = ready.bash("scripts/predict.sh", *arguments)
    assert done.returncode == 2
    assert complaint in done.stderr
    assert not ready.calls("main.py")


@pytest.mark.parametrize("arguments", [("-h",), ("--help",), ("in", "out", "--help")])
def test_help_needs_nothing(sandbox, arguments):
    done = sandbox.bash("scripts/predict.sh", *arguments)
    assert done.returncode == 0
    assert done.stdout.startswith("usage: bash scripts/predict.sh")
