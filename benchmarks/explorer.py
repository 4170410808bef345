"""The explorer: from the change of a slider to the eye, in a real browser.

python benchmarks/explorer.py --json=out.json          (needs chromium, and pip install playwright)

The paper's MNIST generator is exported and served by `main.py --mode=explore` in a process of its own; Chromium without
a window shows the page. Keys move the slider of c2. A change is over when a picture of it, or of a later one, has been
painted: the time runs from the browser's own time stamp of the key to the first task after the frame that shows all
images. `one by one` waits for each picture, strips included; `held down` presses 50 times a second without waiting.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from absl import app, flags
from chromium import browser, missing
from common import define_flags, paper_model, report

FLAGS = flags.FLAGS
define_flags(image_size=28, steps=200, count=16)

MAIN = Path(__file__).resolve().parents[1] / "main.py"
PAUSE_MS = 20

# Keeps the milliseconds of every change of the slider of c2, in `window.taken`.
WATCH = """() => {
  const [grid, slider] = [document.querySelector("#grid"), document.querySelector("#code-c2 input[type=range]")];
  const open = [];
  window.taken = [];
  slider.addEventListener("input", (event) => open.push({ value: slider.value, from: event.timeStamp }));
  new MutationObserver(() => {
    const value = String(Number(new URLSearchParams(grid.dataset.shown.slice(1)).get("c2")));
    const last = open.findLastIndex((change) => change.value === value);
    const over = open.splice(0, last + 1);
    requestAnimationFrame(() => setTimeout(() => {
      const now = performance.now();
      window.taken.push(...over.map((change) => now - change.from));
    }));
  }).observe(grid, { attributeFilter: ["data-shown"] });
  slider.focus();
}"""


def measure(address: str, count: int, changes: int, pause_ms: int | None) -> np.ndarray:
    """Milliseconds of each change; pressed one by one, or every so many milliseconds."""
    with browser() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}#count={count}&c2=-1")
        page.wait_for_selector("#grid[data-shown]")
        page.wait_for_timeout(1000)
        page.evaluate(WATCH)
        for i in range(changes):
            page.keyboard.press("ArrowRight" if i % 200 < 100 else "ArrowLeft")
            if pause_ms is None:
                _wait(page, i + 1)
                page.wait_for_timeout(250)
            else:
                page.wait_for_timeout(pause_ms)
        _wait(page, changes)
        return np.array(page.evaluate("window.taken"))


def _wait(page, count):
    deadline = time.monotonic() + 60
    while page.evaluate("window.taken.length") < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"the page did not show {count} changes within a minute")
        page.wait_for_timeout(5)


def main(_):
    """Prints the table."""
    from infogan_tf.export import export_saved_model

    with tempfile.TemporaryDirectory() as folder:
        path = export_saved_model(paper_model(FLAGS.image_size, "float32"), Path(folder))
        command = [sys.executable, str(MAIN), "--mode=explore", f"--saved_model={path}", "--port=0"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            address = server.stdout.readline().split()[1]
            rows = []
            for how, pause_ms in (("one by one", None), ("held down", PAUSE_MS)):
                times = measure(address, FLAGS.count, FLAGS.steps, pause_ms)
                rows.append(
                    {
                        "keys": how,
                        "changes": len(times),
                        "median, ms": float(np.median(times)),
                        "90th percentile, ms": float(np.percentile(times, 90)),
                        "most, ms": float(times.max()),
                    }
                )
        finally:
            server.kill()
            server.wait()
    report(f"{FLAGS.count} images of {FLAGS.image_size}x{FLAGS.image_size}", rows)


if __name__ == "__main__":
    if missing():
        sys.exit(missing())
    app.run(main)
