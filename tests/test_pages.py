"""The pages (``*.md``): what they link to, run and name exists."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from PIL import Image
from pydantic import BaseModel

from lib.utils.cli import FLAGS
from lib.utils.config.schema import Config

REPO = Path(__file__).resolve().parents[1]
FOLDERS = ("configs", "lib", "scripts", "segmentor", "tests")
PAGES = sorted(
    path.relative_to(REPO).as_posix()
    for path in [*REPO.glob("*.md"), *(p for f in FOLDERS for p in REPO.glob(f"{f}/**/*.md"))]
)
README_LINES = 250
RUN_SUFFIXES = (".py", ".sh", ".sbatch", "/run")
FILE_SUFFIXES = (*RUN_SUFFIXES, ".csv", ".html", ".json", ".png", ".yaml")
each_page = pytest.mark.parametrize("page", PAGES)


@cache
def text_of(page: str) -> str:
    return (REPO / page).read_text(encoding="utf-8")


def prose_of(page: str) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.DOTALL | re.MULTILINE)


def code_spans(page: str) -> list[str]:
    """What stands between single backticks, with line breaks as spaces."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose_of(page))]


def commands_of(page: str) -> Iterator[str]:
    """The commands of a page's blocks, and of its prose."""
    for block in re.findall(r"^```(?:bash)?\n(.*?)^```$", text_of(page), re.DOTALL | re.MULTILINE):
        lines = block.replace("\\\n", " ").splitlines()
        yield from (line.partition(" #")[0].strip() for line in lines if line.strip() and not line.startswith("#"))
    yield from (span for span in code_spans(page) if re.match(r"(bash|python|sbatch) ", span))


def split_command(command: str) -> tuple[str, list[str]] | None:
    """The file that a command runs, and the arguments after it; None where it runs none."""
    words = command.split()
    if not {"bash", "python", "sbatch"} & set(words):
        return None
    for index, word in enumerate(words):
        if word.endswith(RUN_SUFFIXES):
            return word, words[index + 1 :]
    return None


def anchors_of(page: str) -> set[str]:
    """What a link to a heading of the page may say after ``#``, as GitHub makes it of the heading."""
    headings = re.findall(r"^#+ +(.*?) *$", prose_of(page), re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "") for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in plain}


def expand(pattern: str) -> list[str]:
    """``a{b,c}`` as the shell expands it."""
    match = re.search(r"\{([^{}]*)\}", pattern)
    if not match:
        return [pattern]
    before, after = pattern[: match.start()], pattern[match.end() :]
    return [name for part in match[1].split(",") for name in expand(before + part + after)]


def accepted_flags(file: str) -> set[str]:
    """The flags of a command line: those of main.py, or those that a script's source names, its parts included.

    Run scripts pass further arguments on to main.py, as they say.
    """
    main_flags = {*FLAGS, "help", "help_all"}
    if file == "main.py":
        return main_flags
    path = REPO / file
    sources = [path, path.with_suffix(".py"), REPO / "scripts/thermalFaceDB/run.sh", REPO / "tests/conftest.py"]
    text = "".join(source.read_text() for source in sources if source.exists())
    passed_on = main_flags if "main.py arguments" in text else set()
    return {*re.findall(r"--(\w+)", text), *passed_on, "help"}


@cache
def has_key(key: str) -> bool:
    """Whether the config has a dotted key; below a section of free content any has a place."""
    model: type[BaseModel] | None = Config
    for name in key.split("."):
        if model is None or name not in model.model_fields:
            return False
        annotation = model.model_fields[name].annotation
        parts = [annotation, *get_args(annotation)]
        model = next((part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)), None)
    return True


def test_readme_is_short():
    assert len(text_of("README.md").splitlines()) <= README_LINES


@each_page
def test_links_lead_somewhere(page):
    wrong = []
    for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if re.match(r"https?://", link):
            continue
        target, _, anchor = link.partition("#")
        path = (REPO / page).parent / target if target else REPO / page
        if not path.exists() or anchor and anchor not in anchors_of(path.resolve().relative_to(REPO).as_posix()):
            wrong.append(link)
    assert not wrong


@each_page
def test_commands_run_files_that_exist(page):
    files = {file for file, _ in filter(None, map(split_command, commands_of(page)))}
    written_here = set(re.findall(r"^```python\n# (\S+)$", text_of(page), re.MULTILINE))
    assert not [file for file in files - written_here if not (REPO / file).is_file()]


@each_page
def test_paths_in_the_prose_exist(page):
    spans = [span for span in code_spans(page) if re.fullmatch(rf"({'|'.join(FOLDERS)})/[\w/.{{}},-]*", span)]
    assert not [path for span in spans for path in expand(span) if not (REPO / path).exists()]


@each_page
def test_flags_exist(page):
    wrong = []
    for file, arguments in filter(None, map(split_command, commands_of(page))):
        given = [word.partition("=")[0].removeprefix("--") for word in arguments if re.match(r"--\w", word)]
        if (REPO / file).is_file():
            wrong += [f"{file} --{flag}" for flag in given if flag not in accepted_flags(file)]
    scripts = "".join(
        path.read_text() for path in REPO.glob("scripts/**/*") if path.suffix in (".py", ".sh", ".sbatch")
    )
    for span in code_spans(page):
        for flag in re.findall(r"^--(\w+)", span):
            if flag not in FLAGS and f"--{flag}" not in scripts:
                wrong.append(f"--{flag}")
    assert not wrong


@each_page
def test_config_keys_exist(page):
    words = {word for span in code_spans(page) for word in re.split(r"[ =:,]+", span)}
    keys = {word for word in words if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", word) and not word.endswith(FILE_SUFFIXES)}
    assert not sorted(key for key in keys if key.partition(".")[0] in Config.model_fields and not has_key(key))


def test_python_on_the_page_of_thermal_files_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(np.full((4, 5), 30815, np.uint16)).save("frame.png")
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", text_of("lib/thermal/README.md"), re.DOTALL | re.MULTILINE):
        exec(block, names)
    np.testing.assert_allclose(names["frame"].values, 35.0, atol=1e-4)


def test_what_the_rules_see():
    assert expand("a{b,c}/{d,e}") == ["ab/d", "ab/e", "ac/d", "ac/e"]
    assert has_key("solver.max_iters")
    assert not has_key("solver.max_itres")
    assert split_command("bash scripts/predict.sh IN OUT --fps 10") == (
        "scripts/predict.sh",
        ["IN", "OUT", "--fps", "10"],
    )
    assert "your-own-frames" in anchors_of("scripts/README.md")
