"""A page that shows frames as they come, with masks, temperatures and breathing; ``scripts/live.sh`` runs it."""

import argparse
import secrets
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO))

from lib.datasets.build import reading_of  # noqa: E402
from lib.thermal.streams import RAW_TYPES  # noqa: E402
from lib.utils.cli import parse_command_line  # noqa: E402
from lib.utils.config import load_run_config  # noqa: E402
from lib.utils.errors import Interrupted  # noqa: E402
from lib.utils.log import log_to_terminal, show  # noqa: E402
from lib.utils.runtime import start_runtime  # noqa: E402
from lib.utils.standard_input import open_standard_input  # noqa: E402
from lib.vis.palette import palette_of  # noqa: E402
from segmentor.checking.names import check_names  # noqa: E402
from segmentor.live.saving import SavedFrames  # noqa: E402
from segmentor.live.server import LOCAL, LiveServer  # noqa: E402
from segmentor.live.session import LiveSession, build_find  # noqa: E402
from segmentor.live.sources import open_source  # noqa: E402
from segmentor.training.stopping import interrupted_by_sigterm  # noqa: E402

WEIGHTS = REPO / "lib/models/pretrained/face.pth"
FIRST_CAMERA = "0"
PORT = 8765


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until Ctrl-C; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    # First, as the value of another argument could be taken for it.
    source = words.pop(0) if words and (words[0] == "-" or not words[0].startswith("-")) else FIRST_CAMERA
    args, further = _parser().parse_known_args(words)
    try:
        _serve(source, args, further)
    except (ValueError, OSError) as error:
        print(f"live.sh: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    except Interrupted as error:
        return 128 + error.signum
    return 0


def _serve(name: str, args: argparse.Namespace, further: Sequence[str]) -> None:
    # Of a phase that needs neither checkpoint nor input to be named.
    line = parse_command_line(["--phase", "compare", *further])
    flags = {"network.resume": str(WEIGHTS), **line.flags, "phase": "predict"}
    config = load_run_config(args.configs or "", flags, line.pairs, [check_names])[0]
    log_to_terminal(config.logging.stdout_level, config.logging.log_format, True)
    data, palette = config.data, palette_of(config.data.num_classes, config.data.palette)
    stream = open_standard_input() if name == "-" else None
    source = open_source(name, reading_of(data), config.predict.fps, args.raw_type, stream)
    token = "" if args.host in LOCAL else secrets.token_urlsafe(24)
    with interrupted_by_sigterm(), start_runtime(config) as runtime:
        session = LiveSession(source, build_find(config, runtime), palette)
        saved = SavedFrames(args.save_to, data.names)
        with LiveServer(session, saved, data.names, palette, args.host, args.port, token) as server, session:
            show(f"{source.title}, live at {server.url}\nCtrl-C ends it; saved frames go to {args.save_to}\n")
            server.serve_forever()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="live.sh",
        usage="bash scripts/live.sh [SOURCE] [options] [any main.py arguments, such as --resume, --fps, --temp_preset]",
        description="Shows frames as they come on a page of this machine: masks, temperatures of regions, breathing. "
        "SOURCE is a folder that grows, a file of frames or a video, which is played at its own rate, the number of a "
        "camera (0, the first one, if nothing is said), or - for raw frames on standard input, of --raw_size and "
        "--raw_type. What comes while the network is busy is dropped and counted.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--host", default=LOCAL[0], help=f"address to listen at; others than {LOCAL[0]} take a token, which is printed")
    add("--port", type=int, default=PORT, help=f"to listen at; 0 for any that is free ({PORT})")
    add("--save_to", type=Path, metavar="DIR", default=Path("runs/live"),
        help="gets frames that are saved, frames/, with their masks to correct, labelme/ (runs/live)")  # fmt: skip
    add("--raw_type", choices=list(RAW_TYPES), default="uint16", help="numbers on standard input (uint16)")
    add("--configs", metavar="FILE", help="a config, where the checkpoint's isn't enough")
    return parser


if __name__ == "__main__":
    sys.exit(main())
