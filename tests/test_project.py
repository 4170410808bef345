"""The project itself: that what is imported is declared, and its example runs."""

import ast
import configparser
import sys

from conftest import ROOT

# Import name -> distribution name, where they differ.
DISTRIBUTIONS = {
    "absl": "absl-py",
    "google": "protobuf",
    "PIL": "pillow",
    "sklearn": "scikit-learn",
    "tensorflow_datasets": "tensorflow-datasets",
}


def test_everything_imported_is_declared():
    options = configparser.ConfigParser()
    options.read(ROOT / "setup.cfg")
    lines = options["options"]["install_requires"].splitlines()
    declared = {line.split(">")[0].split("<")[0].strip() for line in lines if line and not line.startswith("#")}
    imported = set()
    for path in [ROOT / "main.py", *(ROOT / "infogan_tf").rglob("*.py"), *(ROOT / "configs").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add(node.module.split(".")[0])
    foreign = imported - set(sys.stdlib_module_names) - {"infogan_tf", "configs"}
    assert len(foreign) > 5
    assert {DISTRIBUTIONS.get(name, name) for name in foreign} <= declared


def test_public_names_are_those_of_their_homes():
    import infogan_tf

    names = {"InfoGAN", "LatentLayout", "paper_networks", "load_data", "export_saved_model"}
    assert names | {"__version__"} == set(infogan_tf.__all__)
    for name in names:
        assert getattr(infogan_tf, name).__name__ == name


def test_the_library_example_of_the_readme_runs(tmp_path, monkeypatch):
    text = (ROOT / "README.md").read_text()
    example = text.split("```python\n")[1].split("```")[0]
    assert "epochs=10)" in example
    monkeypatch.chdir(tmp_path)
    exec(compile(example.replace("epochs=10)", "epochs=1)"), "README.md", "exec"), {})  # ten take a minute or two
    assert (tmp_path / "served" / "infogan" / "1" / "saved_model.pb").exists()
