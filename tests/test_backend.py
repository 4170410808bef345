"""Keras on another backend, or in version 2: one line, of the command and of an import, before anything is written."""

import os
import subprocess
import sys

import pytest
from conftest import MAIN, ROOT

from infogan_tf.environment.backend import prefer_fast_kernels, require_tensorflow
from infogan_tf.errors import UserError

WRONG = {
    "KERAS_BACKEND": (
        {"KERAS_BACKEND": "jax"},
        "KERAS_BACKEND: expected the Keras backend tensorflow. Received: 'jax'",
    ),
    "TF_USE_LEGACY_KERAS": ({"TF_USE_LEGACY_KERAS": "1"}, "TF_USE_LEGACY_KERAS: expected 0, or nothing, "),
}
# What a user's program does before it writes anything.
IMPORT = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import infogan_tf; open('written', 'w')"
DIRECTLY = IMPORT.replace("import infogan_tf;", "from infogan_tf.networks.paper import paper_networks;")


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("program", [[str(MAIN)], ["-c", IMPORT], ["-c", DIRECTLY]], ids=["command", "import", "part"])
def test_one_line_and_nothing_written(name, program, tmp_path):
    environment, words = WRONG[name]
    (tmp_path / "home").mkdir()
    done = subprocess.run(
        [sys.executable, *program],
        cwd=tmp_path,
        env=os.environ | {"HOME": str(tmp_path / "home"), "KERAS_HOME": str(tmp_path / "home")} | environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == (2 if program[0] == str(MAIN) else 1)
    last = done.stderr.splitlines()[-1]
    assert words in last
    if program[0] == str(MAIN):
        assert done.stderr.splitlines() == [last]
    assert [path.name for path in tmp_path.rglob("*")] == ["home"]


def test_a_keras_that_is_imported_already_is_asked(monkeypatch):
    import keras

    require_tensorflow()
    monkeypatch.setattr(keras.config, "backend", lambda: "torch")
    with pytest.raises(UserError, match=r"keras, which is imported already: expected .* Received: 'torch'"):
        require_tensorflow()


@pytest.mark.parametrize("value", ["0", "false", ""])
def test_keras_3_may_be_asked_for_in_words(monkeypatch, value):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", value)
    require_tensorflow()


@pytest.mark.parametrize(
    ("machine", "given", "expected"),
    [("x86_64", None, "1"), ("AMD64", None, "1"), ("x86_64", "0", "0"), ("aarch64", None, None)],
)
def test_tensorflow_computes_with_its_fastest_kernels_unless_told_otherwise(monkeypatch, machine, given, expected):
    monkeypatch.setattr("platform.machine", lambda: machine)
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS")
    if given:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", given)
    prefer_fast_kernels()
    assert os.environ.get("TF_ENABLE_ONEDNN_OPTS") == expected
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")  # which monkeypatch takes back afterwards
