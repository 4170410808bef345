"""The animation of a GAN on a line, docs/one_dimension.gif, and the script that makes it."""

import subprocess
import sys

from conftest import ROOT
from PIL import Image


def test_the_script_writes_an_animation(tmp_path):
    command = [sys.executable, ROOT / "docs" / "one_dimension.py", "--frames=3", "--adversarial_loss=minimax"]
    done = subprocess.run([*command, f"--output={tmp_path / 'line.gif'}"], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"Wrote {tmp_path / 'line.gif'}: 3 frames, to step 30.\n"
    with Image.open(tmp_path / "line.gif") as animation:
        assert animation.n_frames == 3


def test_the_picture_of_the_page_is_small():
    path = ROOT / "docs" / "one_dimension.gif"
    assert path.stat().st_size < 300_000
    with Image.open(path) as animation:
        assert (animation.n_frames, animation.info["loop"]) == (41, 0)
