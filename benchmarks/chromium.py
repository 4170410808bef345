"""Chromium without a window, driven by Playwright; for the explorer's benchmark and its tests."""

import importlib.util
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

# Nothing is asked of the network but what the page asks. Without its sandbox it runs as root too, and opens only
# pages of ours.
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def missing() -> str:
    """What is not installed, as a reason to skip what needs it; empty where all is there."""
    if importlib.util.find_spec("playwright") is None:
        return "playwright is not installed"
    return "" if _program() else "chromium is not installed"


@contextmanager
def browser() -> Iterator:
    """Playwright's browser, with a fresh profile."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_program(), args=ARGUMENTS)
        try:
            yield opened
        finally:
            opened.close()


def _program() -> str | None:
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
