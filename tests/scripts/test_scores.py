"""The scores on real faces: their pictures, and their tables on pages."""

import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from scripts.figures import scores
from scripts.figures.score_tables import tables, update


def width_of(path: Path) -> int:
    with Image.open(path) as picture:
        return picture.width


def place_of(name: str) -> str:
    return f"<!-- scores: {name} -->\nformer\n\nformer\n<!-- end of scores -->\n"


def test_scores_are_drawn_and_their_tables_put_into_pages(tmp_path):
    header = "set,network,strategy,seed,score,percent\n"
    for name in ("ablation", "strategies"):
        (tmp_path / name).mkdir()
        lines = [
            f"controlled,U,{strategy},{pair},mIoU,{score}\n"
            for strategy, scores in {
                "rmi": (50, 60, 54, 62),
                "rmi_without_tiaug": (52, 61, 55, 66),
                "bce": (48,),
                "dice": (49, 63, 53),
            }.items()
            for pair, score in zip(("1:0", "2:0", "1:1", "2:1"), scores, strict=False)
        ]
        if name == "ablation":
            others = {"rmi,1:0": 40, "rmi,2:0": 44, "rmi_without_tiaug,1:0": 38}
            lines += [f"controlled,AU,{run},mIoU,{score}\n" for run, score in others.items()]
        lines += [f"controlled,U,{run},nose,{score}\n" for run, score in {"rmi,1:0": 30, "rmi,2:0": 20}.items()]
        lines += [f"controlled,U,rmi_without_tiaug,{pair},nose,10\n" for pair in ("1:0", "2:0")]
        (tmp_path / name / "cells.csv").write_text(header + "".join(lines))
    points = {"U,rmi,0,400": 30, "U,rmi,0,2000": 40, "U,rmi,1,400": 31, "U,rmi,1,2000": 41}
    points |= {"U,rmi,2,400": 99, "AU,rmi,0,400": 20}  # these runs go on
    curves = "".join(f"1,{point},{percent}\n" for point, percent in points.items())
    (tmp_path / "curves.csv").write_text("trained_on,network,strategy,seed,iteration,percent\n" + curves)
    page = tmp_path / "page.md"
    names = ("progress", "overview", "differences", "networks", "strategies", "classes", "class_differences", "curves")
    page.write_text("before\n" + "".join(place_of(name) for name in names) + "after\n")
    assert scores.main(["--results", str(tmp_path), "--images", str(tmp_path), "--pages", str(page)]) == 0
    assert width_of(tmp_path / "ablation.png") > 500
    assert width_of(tmp_path / "performance.png") > 500
    shown = page.read_text()
    assert shown.startswith(
        "before\n<!-- scores: progress -->\n15 of the 106 planned runs are complete; missing are 54 of UNET, 7"
    )
    assert shown.endswith("| UNET: RMI + TiAug | 30.5 / - | 40.5 / - |\n<!-- end of scores -->\nafter\n")
    assert "former" not in shown
    assert "| UNET, up to 4 runs a row | controlled |" in shown
    assert "| RMI + TiAug | 56.5 (52.0, 61.0) |" in shown
    # Differences −2, −1, −1, −4: 2 -+ 3.182 x 1.414 / sqrt(4)
    assert "| *RMI + TiAug* against *RMI* | −2.0 [−4.3, +0.3] (−1.5, −2.5) |" in shown
    # Two pairs in one fold and one in the other: −1, −1 and +3
    assert "| *Dice* against *RMI* | +1.0 (−1.0, +3.0) |" in shown
    assert "SegAN" not in shown
    assert "| BCE | (48.0, -) |" in shown
    assert "| *BCE* against *RMI* | (−2.0, -) |" in shown
    assert "| controlled | UNET | Attention-UNET |" in shown
    assert "| RMI + TiAug | 56.5 | 42.0 |" in shown
    assert "| RMI | 58.5 | - |" in shown
    # With the seeds of a fold in one: −1.5, −2.5, +2: −0.667 -+ 4.303 x 2.363 / sqrt(3)
    assert "| *RMI + TiAug* against *RMI* | −0.7 [−6.5, +5.2] | 3 |" in shown
    assert "| IoU of each class, UNET | nose |\n|---|---:|\n| controlled: RMI | 10.0 |" in shown
    assert "| controlled: *RMI + TiAug* against *RMI* | +15.0 |" in shown


def test_shipped_pages_hold_the_tables_of_the_shipped_scores(tmp_path):
    made = tables(scores.RESULTS)
    assert sorted(made) == sorted(set(re.findall("<!-- scores: (.*) -->", "".join(map(Path.read_text, scores.PAGES)))))
    for page in scores.PAGES:
        copy = Path(shutil.copy(page, tmp_path / "page.md"))
        update(copy, made)
        assert copy.read_text() == page.read_text(), "run: python scripts/figures/scores.py"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no table\n", "a NAME of one, got none"),
        (place_of("unknown"), "a NAME of one, got unknown"),
        ("<!-- scores: one -->\nno end\n", "1 lines about scores, with 0 whole places"),
        ("<!-- scores: one -->\nno end\n" + place_of("one"), "3 lines about scores, with 1 whole places"),
        (place_of("one") + "<!-- end of scores -->\n", "3 lines about scores, with 1 whole places"),
        (place_of("one") + "<!-- scores:one -->\n", "3 lines about scores, with 1 whole places"),
    ],
)
def test_pages_with_wrong_places_are_refused_and_stay(tmp_path, text, message):
    page = tmp_path / "page.md"
    page.write_text(text)
    with pytest.raises(ValueError, match=f"page.md: .*{message}"):
        update(page, {"one": "table\n"})
    assert page.read_text() == text
