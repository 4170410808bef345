"""The wheel holds what the tree holds, and what it installs is the command."""

import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, TINY

BUILD = "import sys; from setuptools import build_meta; print(getattr(build_meta, sys.argv[1])(sys.argv[2]))"
# What git does not hold.
NOT_OURS = ("__pycache__", ".pyc", ".partial")


def built(what, source, target):
    """Builds a wheel or an sdist, `build_wheel` or `build_sdist`, as pip and build do."""
    target.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD, what, str(target)], cwd=source, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return target / done.stdout.splitlines()[-1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel that was built from an sdist of the tree, as `python -m build` makes it."""
    folder = tmp_path_factory.mktemp("built")
    tree = folder / "tree"
    tree.mkdir()
    for name in ("infogan_tf", "configs"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "main.py"):
        shutil.copy(ROOT / name, tree)
    sdist = built("build_sdist", tree, folder / "sdist")
    shutil.unpack_archive(sdist, folder / "unpacked")
    (source,) = (folder / "unpacked").iterdir()
    return built("build_wheel", source, folder / "wheel")


def test_the_wheel_holds_every_file_of_the_package_and_the_recipes(wheel):
    expected = set()
    for folder, place in (("infogan_tf", "infogan_tf"), ("configs", "infogan_tf/configs")):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not str(path).endswith(NOT_OURS):
                expected.add(f"{place}/{path.relative_to(ROOT / folder).as_posix()}")
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        metadata = next(name for name in names if name.endswith(".dist-info/entry_points.txt"))
        assert "infogan = infogan_tf.__main__:main" in file.read(metadata).decode()
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert len(expected) > 100
    assert {name.split("/")[0].partition("-")[0] for name in names} == {"infogan_tf"}
    assert any(name.endswith("LICENSE") for name in names)


@pytest.mark.parametrize("program", ["main.py", "-m infogan_tf"])
def test_a_clone_needs_no_installation(tmp_path, program):
    for name in ("infogan_tf", "configs"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "main.py", tmp_path)
    command = [sys.executable, *program.split(), "--dry_run", "--dataset=mnist"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "--dataset=mnist\n--recipe=paper\n" in done.stdout


def test_a_clone_takes_its_own_recipes_where_another_folder_has_their_name(tmp_path):
    (tmp_path / "configs").mkdir()
    (tmp_path / "configs" / "__init__.py").write_text("raise RuntimeError('not these')")
    command = [sys.executable, "-m", "infogan_tf", "--dry_run"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of an environment's programs, in which the wheel is installed beside what it needs."""
    place = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", place], check=True, timeout=300)
    own = Path(sysconfig.get_path("purelib", vars={"base": str(place), "platbase": str(place)}))
    (own / "needed.pth").write_text(f"{sysconfig.get_path('purelib')}\n{sysconfig.get_path('platlib')}\n")
    scripts = place / ("Scripts" if os.name == "nt" else "bin")
    python = scripts / Path(sys.executable).name
    # Where the tests' environment has the package too, this one's comes first.
    install = [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", "--quiet"]
    done = subprocess.run([*install, "--force-reinstall", wheel], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (own / "infogan_tf" / "configs" / "mnist.py").is_file()
    assert not (own / "configs").exists()
    return scripts


@pytest.mark.slow
def test_the_installed_command_trains_draws_and_exports(installed, tmp_path):
    def run(*words):
        environment = os.environ | {"PATH": f"{installed}{os.pathsep}{os.environ['PATH']}"}
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "\n  infogan --resume --run_dir=RUN" in run("infogan", "--help")
    assert "\n  python -m infogan_tf --resume" in run("python", "-m", "infogan_tf", "--help")
    assert "infogan --mode=sample --run_dir=x --count=100" in run("infogan", *TINY, "--run_dir=x")
    run("infogan", "--mode=sample", "--run_dir=x", "--count=4")
    assert (tmp_path / "grid.png").is_file()
    run("infogan", "--mode=export", "--run_dir=x")
    assert (tmp_path / "x" / "export" / "infogan" / "2" / "saved_model.pb").is_file()
    told = run("infogan", "--mode=sweep", "--seeds=1", *TINY, "--run_dir=s")
    assert "\ninfogan --evaluation=none" in told
    assert "Done: 4 steps" in told
