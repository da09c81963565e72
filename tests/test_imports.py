"""The rules of the house, read from the source: who imports whom, and what may stand where."""

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[1]
ROOMS = ("thermal", "datasets", "synthetic", "ops", "models", "loss", "metrics", "vis")
BELOW = {
    "datasets": {"lib/thermal"},
    "synthetic": {"lib/thermal", "lib/datasets"},
    "models": {"lib/ops"},
    "loss": {"lib/ops"},
}
"""The rooms of lib that stand on others than lib/utils, and which."""
MAX_LINES = 350


def _sources() -> list[str]:
    files = [*REPO.glob("lib/**/*.py"), *REPO.glob("segmentor/**/*.py"), *REPO.glob("scripts/**/*.py")]
    return sorted(path.relative_to(REPO).as_posix() for path in [*files, REPO / "main.py"])


SOURCES = _sources()


@cache
def tree_of(source: str) -> ast.Module:
    return ast.parse((REPO / source).read_text(), source)


def module_file(name: str) -> str | None:
    """The file of a dotted module name of this project; None for other modules."""
    path = name.replace(".", "/")
    return next((file for file in (f"{path}.py", f"{path}/__init__.py") if file in SOURCES), None)


@cache
def imports_of(source: str) -> frozenset[str]:
    """The project files that a file imports anywhere in it, without the packages around them."""
    names = set()
    for node in ast.walk(tree_of(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{source}:{node.lineno}: imports are absolute here"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            submodules = {name for name in inner if module_file(name)}
            names.update(submodules)
            if submodules != inner:
                names.add(node.module)
    return frozenset(filter(None, map(module_file, names)))


def room_of(source: str) -> str:
    """``lib/loss`` for what is in it, ``segmentor``, ``scripts``, ``main.py``; ``lib`` for its own __init__."""
    parts = source.split("/")
    return "/".join(parts[:2]) if parts[0] == "lib" and len(parts) > 2 else parts[0]


def allowed_rooms(room: str) -> set[str] | None:
    """The rooms that a room may import; None for all."""
    if room == "lib/utils" or room == "lib":
        return {room}
    if room.startswith("lib/"):
        return {"lib", "lib/utils", room, *BELOW.get(room.removeprefix("lib/"), ())}
    if room == "segmentor":
        return {"lib", "segmentor", "lib/utils", *(f"lib/{name}" for name in ROOMS)}
    return None


@pytest.mark.parametrize("source", SOURCES)
def test_rooms_import_only_what_they_may(source):
    allowed = allowed_rooms(room_of(source))
    if allowed is not None:
        strangers = sorted(file for file in imports_of(source) if room_of(file) not in allowed)
        assert not strangers, f"{source} may not import {strangers}"


def test_every_room_is_known():
    rooms = {room_of(source) for source in SOURCES}
    assert rooms <= {"lib", "lib/utils", *(f"lib/{name}" for name in ROOMS), "segmentor", "scripts", "main.py"}


def room_of_segmentor(source: str) -> str:
    """A folder of segmentor, or a file right in it."""
    return "/".join(source.split("/")[:2])


def test_rooms_of_segmentor_form_no_circle():
    above = {room_of_segmentor(source): set() for source in SOURCES if source.startswith("segmentor/")}
    for source in SOURCES:
        if source.startswith("segmentor/"):
            rooms = {room_of_segmentor(file) for file in imports_of(source) if file.startswith("segmentor/")}
            above[room_of_segmentor(source)] |= rooms - {room_of_segmentor(source)}
    TopologicalSorter(above).prepare()  # raises CycleError, which names the rooms


def test_only_builders_know_the_config():
    knowing = [
        source
        for source in SOURCES
        if room_of(source).removeprefix("lib/") in ROOMS
        and not source.endswith("build.py")
        and any(file.startswith("lib/utils/config") for file in imports_of(source))
    ]
    assert not knowing, f"take plain keyword arguments; only build.py files read configs: {knowing}"


def test_every_module_is_reachable_from_a_command_line():
    seen: set[str] = set()
    waiting = [source for source in SOURCES if room_of(source) in ("main.py", "scripts")]
    while waiting:
        source = waiting.pop()
        if source in seen:
            continue
        seen.add(source)
        parents = [f"{parent.as_posix()}/__init__.py" for parent in Path(source).parents]
        waiting += [*imports_of(source), *(parent for parent in parents if parent in SOURCES)]
    assert not sorted(set(SOURCES) - seen)


def places(source: str, wrong) -> list[str]:
    return [f"{source}:{node.lineno}" for node in ast.walk(tree_of(source)) if wrong(node)]


def _calls_cuda(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "cuda"


def _names_a_device(node: ast.AST) -> bool:
    """A device as an argument or value; asking ``device.type == "cuda"`` chooses nothing."""
    inside = [] if isinstance(node, ast.Compare) else ast.iter_child_nodes(node)
    return any(
        isinstance(child, ast.Constant)
        and isinstance(child.value, str)
        and re.fullmatch(r"(cuda|mps)(:\d+)?", child.value)
        for child in inside
    )


def _reads_environment(node: ast.AST) -> bool:
    names = {"environ", "environb", "getenv"}
    if isinstance(node, ast.ImportFrom):
        return node.module == "os" and any(alias.name in names for alias in node.names)
    return isinstance(node, ast.Attribute) and node.attr in names


def _exits(node: ast.AST) -> bool:
    if isinstance(node, ast.Name):
        return node.id in ("exit", "quit", "SystemExit")
    return (
        isinstance(node, ast.Attribute)
        and node.attr in ("exit", "_exit", "abort")
        and isinstance(node.value, ast.Name)
        and node.value.id in ("sys", "os")
    )


def _draws_from_global_numpy(node: ast.AST) -> bool:
    """Lower-case functions share one hidden state; generators and bit generators (classes) have their own."""
    return (
        isinstance(node, ast.Attribute)
        and (node.attr.islower() or node.attr == "RandomState")
        and node.attr != "default_rng"
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "random"
        and isinstance(node.value.value, ast.Name)
        and node.value.value.id in ("np", "numpy")
    )


@pytest.mark.parametrize(
    ("wrong", "free"),
    [
        pytest.param(_calls_cuda, (), id="no_cuda_calls"),
        pytest.param(_names_a_device, ("lib/utils/device.py",), id="devices_come_from_one_place"),
        pytest.param(_reads_environment, ("lib/utils/distributed.py",), id="one_module_reads_the_environment"),
        pytest.param(_exits, ("main.py", "scripts/"), id="only_command_lines_exit"),
        pytest.param(_draws_from_global_numpy, ("lib/utils/seed.py",), id="no_global_numpy_randomness"),
    ],
)
def test_source_keeps_the_rule(wrong, free):
    found = [place for source in SOURCES if not source.startswith(free) for place in places(source, wrong)]
    assert not found, "\n".join(found)


def test_files_stay_short():
    lengths = {source: len((REPO / source).read_text().splitlines()) for source in SOURCES}
    assert not {source: length for source, length in lengths.items() if length > MAX_LINES}


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("x.cuda()", _calls_cuda),
        ("x.to('cuda:1')", _names_a_device),
        ("f(device='mps')", _names_a_device),
        ("import os; os.environ['A']", _reads_environment),
        ("from os import getenv", _reads_environment),
        ("import sys; sys.exit(1)", _exits),
        ("raise SystemExit", _exits),
        ("np.random.rand(3)", _draws_from_global_numpy),
    ],
)
def test_the_rules_see_what_they_forbid(code, wrong):
    assert any(wrong(node) for node in ast.walk(ast.parse(code)))


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("torch.cuda.is_available()", _calls_cuda),
        ("device.type == 'cuda'", _names_a_device),
        ("np.random.default_rng(0)", _draws_from_global_numpy),
        ("os.path.exists('x')", _reads_environment),
    ],
)
def test_the_rules_pass_what_is_right(code, wrong):
    assert not any(wrong(node) for node in ast.walk(ast.parse(code)))
