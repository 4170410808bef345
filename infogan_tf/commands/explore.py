"""--mode=explore: a model, and a page on localhost that moves its codes."""

import contextlib
import errno
import gc
import json
import tempfile
import threading
from pathlib import Path

from infogan_tf.config.options import Config
from infogan_tf.environment.memory import free_large_buffers_at_once
from infogan_tf.errors import UserError, printable
from infogan_tf.explorer.local_server import serving
from infogan_tf.explorer.remote import Remote
from infogan_tf.explorer.site import Model, Site
from infogan_tf.files import newest_version
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import existing_run

# What the page asks of a model.
SIGNATURES = ("describe", "generate_png")


def explore(config: Config, given: dict[str, object], argv: list[str]) -> None:
    """Serves the page until Ctrl-C.

    Raises:
        UserError: For bad input, before anything is served.
    """
    free_large_buffers_at_once()
    source = next(name for name in ("run_dir", "saved_model", "url") if getattr(config, name))
    run, model = _run_and_model(config, given)
    _require_signatures(model, source)
    site = Site(model, getattr(config, source), run)
    # What was imported and loaded stays: looking for garbage in it, as a large request makes Python do again and again,
    # would hold the page up.
    gc.freeze()
    with _listening(site, config.host, config.port) as address:
        print(f"Open {address}/ in a browser. Ctrl-C ends it.", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            # By and by: a Ctrl-C that the system gave another thread is acted on when this one wakes.
            while not threading.Event().wait(1.0):
                pass
    print("\nEnded.")


def _run_and_model(config: Config, given: dict[str, object]) -> tuple[RunDirectory | None, Model]:
    """The run, where one is explored, and what answers for its model."""
    if config.url:
        return None, Remote(config.url)
    # TensorFlow takes seconds to import; a mistyped address need not wait for it.
    from infogan_tf.explorer.rest import SavedModelRest

    if config.saved_model:
        try:
            return None, SavedModelRest(newest_version(Path(config.saved_model)))
        except UserError as error:
            raise UserError(f"--saved_model: {error}") from error
    run, kept = existing_run(config.run_dir, given)
    from infogan_tf.commands.export import export_run
    from infogan_tf.runs.restored import restored_model

    with tempfile.TemporaryDirectory() as folder:
        # Once loaded, it is not needed on disk.
        return run, SavedModelRest(export_run(restored_model(run, kept), kept, run, Path(folder)))


def _require_signatures(model: Model, flag: str) -> None:
    answer = model.answer("GET", f"/v1/models/{model.name}/metadata", b"")
    try:
        found = list(json.loads(answer.body)["metadata"]["signature_def"]["signature_def"].keys())
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        found = []
    if not set(SIGNATURES) <= set(found):
        raise UserError(
            f"--{flag}: expected a model with the signatures {', '.join(SIGNATURES)}; --mode=export writes one. "
            f"Received one with {printable(', '.join(found[:20])) or 'none'}"
        )


@contextlib.contextmanager
def _listening(site: Site, host: str, port: int):
    """`serving` at the port, or at a free one where it is taken."""
    with contextlib.ExitStack() as stack:
        try:
            address = stack.enter_context(serving(site.answer, host, port, site.at_once))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            print(f"Port {port} is taken; --port chooses another.")
            address = stack.enter_context(serving(site.answer, host, 0, site.at_once))
        yield address
