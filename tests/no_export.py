"""Run as a program: main.py, whose exports say of what weights they are, and hold no model.

Half of a tiny run's time is the export's; this is for tests of what comes before it.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def export_nothing(model, config, run):
    """In place of `infogan_tf.commands.export.export_run`."""
    from infogan_tf.export.metadata import weights_digest
    from infogan_tf.files import versions

    path = run.export / str(len(versions(run.export)) + 1)
    (path / "assets.extra").mkdir(parents=True)
    (path / "assets.extra" / "metadata.json").write_text(json.dumps({"weights": weights_digest(model)}))
    return path


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    import configs
    from infogan_tf import command_line
    from infogan_tf.commands import train

    train.export_run = export_nothing
    sys.exit(command_line.main([str(ROOT / "main.py"), *sys.argv[1:]], configs))
