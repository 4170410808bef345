"""config.json holds the options that something in the run reads; what looks at runs copes without the others."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import TINY, run_here

import configs
from infogan_tf.command_line import recipe_of
from infogan_tf.commands.export import is_exported
from infogan_tf.commands.sweep import sweep_table
from infogan_tf.config.options import Config
from infogan_tf.models.choices import resolve, taken
from infogan_tf.reports.comparison import Run, _differing_options
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import existing_run
from infogan_tf.runs.restored import restored_model

GAN = (*(flag for flag in TINY if not flag.startswith("--latents")), "--model=gan", "--latents=normal_noise:6")
OF_CODES = {"lambda_info", "lambda_cat", "lambda_cont", "lambda_warmup", "posterior_stddev", "invariance_weight"}


@pytest.fixture(scope="module")
def gan_run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gan")
    return folder / "gan", run_here(*GAN, "--run_dir=gan", cwd=folder).stdout


@pytest.fixture
def copies(tmp_path, tiny_run, gan_run):
    """A folder with a run of each model in it."""
    for name, run in (("infogan", tiny_run[0]), ("gan", gan_run[0])):
        shutil.copytree(run, tmp_path / name)
    return tmp_path


def kept(run):
    return json.loads((Path(run) / "config.json").read_text())["config"]


def exports(run):
    return sorted(path.name for path in (run / "export" / "infogan").iterdir())


def test_a_run_keeps_what_its_model_takes(gan_run, tiny_run):
    run, told = gan_run
    assert not OF_CODES & set(kept(run))
    assert {"latents", "adversarial_loss", "r1_weight", "steps", "batch_size"} <= set(kept(run))
    assert OF_CODES - {"posterior_stddev"} <= set(kept(tiny_run[0]))
    assert "Done: 4 steps" in told
    assert "--mode=sample" in told
    assert "Mutual information" not in told


@pytest.mark.parametrize(
    "given", [{}, {"model": "gan"}, {"networks": "mlp"}, {"networks": "dcgan"}, {"adversarial_loss": "hinge"}]
)
@pytest.mark.parametrize(("dataset", "recipe"), [("digits", "paper"), ("mnist", "invariant")])
def test_what_a_run_keeps_makes_its_options_again(tmp_path, dataset, recipe, given):
    config = resolve(recipe_of(configs, dataset, recipe), given)
    assert Config.from_json(taken(config), tmp_path) == config


def test_a_run_of_another_model_goes_on_is_drawn_from_and_exported(copies):
    done = run_here("--resume", "--run_dir=gan", "--lambda_info=2", cwd=copies, check=False)
    assert done.returncode == 2
    assert "--lambda_info: --model=gan does not take it. Received: --lambda_info=2.0" in done.stderr
    done = run_here("--resume", "--run_dir=gan", "--steps=5", "--evaluation=none", cwd=copies, exporting=False)
    assert "Done: 5 steps; 1 of them now" in done.stdout
    assert kept(copies / "gan")["steps"] == 5
    assert not OF_CODES & set(kept(copies / "gan"))
    run_here("--mode=sample", "--run_dir=gan", "--count=4", cwd=copies)
    run_here("--mode=export", "--run_dir=gan", cwd=copies)
    assert exports(copies / "gan") == ["1", "2", "3"]


def test_runs_of_different_models_are_compared(copies):
    done = run_here("--mode=compare", "--runs=.", cwd=copies)
    assert "Wrote compare.html" in done.stdout
    page = (copies / "compare.html").read_text()
    assert "<td>normal_noise:6</td>" in page


@pytest.mark.slow
def test_a_run_without_codes_is_evaluated(copies):
    run_here("--mode=evaluate", "--run_dir=gan", "--evaluation=quick", cwd=copies)
    figures = json.loads((copies / "gan" / "evaluation.json").read_text())["figures"]
    assert "fid" in figures
    assert not [name for name in figures if name.startswith("mutual_info")]


def fake_runs(tmp_path):
    """Three runs of which two have codes, one of these with another weight."""
    lines = {"one": {"c1_error": 0.5, "mutual_info": 1.0}, "other": {"c1_error": 0.3, "mutual_info": 2.0}, "gan": {}}
    given = {"one": {"seed": 1}, "other": {"lambda_info": 2.0}, "gan": {"model": "gan"}}
    recipe = recipe_of(configs, "digits", "paper")
    return [
        Run(name, RunDirectory(tmp_path / name), resolve(recipe, given[name]), [{"step": 4} | line], None)
        for name, line in lines.items()
    ]


def test_a_sweeps_table_leaves_out_what_a_run_has_not(tmp_path):
    one, other, gan = fake_runs(tmp_path)
    rows = sweep_table([one, one, other, gan, gan]).splitlines()
    assert rows[0] == "| run | c1_error | mutual_info |"
    assert "| gan |  |  |" in rows
    assert "| mean, all | 0.5000 | 1.0000 |" in rows
    assert "| worst, all |  |  |" in rows


def test_a_comparison_shows_no_value_of_what_a_run_does_not_read(tmp_path):
    options = _differing_options(fake_runs(tmp_path))
    assert options["model"] == ["infogan", "infogan", "gan"]
    assert options["lambda_info"] == [1.0, 2.0, ""]
    assert options["seed"] == [1, 0, 0]


@pytest.mark.slow
def test_an_export_is_up_to_date_by_its_weights(copies):
    assert "Nothing to do" in run_here("--resume", "--run_dir=infogan", cwd=copies).stdout
    # Newer than what it was made of, and yet of the weights that the run had a step before.
    run_here("--resume", "--run_dir=infogan", "--steps=5", "--evaluation=none", cwd=copies, exporting=False)
    shutil.rmtree(copies / "infogan" / "export" / "infogan" / "2")
    for path in (copies / "infogan" / "export").rglob("*"):
        path.touch()
    assert "Done: 5 steps; 0 of them now" in run_here(
        "--resume", "--run_dir=infogan", "--evaluation=none", cwd=copies
    ).stdout  # fmt: skip
    assert exports(copies / "infogan") == ["1", "2"]
    # Older than what it was made of.
    for path in (copies / "infogan" / "checkpoints").iterdir():
        path.touch()
    assert "Nothing to do" in run_here("--resume", "--run_dir=infogan", cwd=copies).stdout
    # In another precision, of the same weights.
    run_here("--mode=export", "--run_dir=infogan", "--export_precision=float16", cwd=copies)
    assert "Nothing to do" in run_here("--resume", "--run_dir=infogan", cwd=copies).stdout


def test_an_export_whose_metadata_cannot_be_read_is_not_up_to_date(copies):
    run, config = existing_run(str(copies / "infogan"), {})
    model = restored_model(run, config)
    assert is_exported(run, model)
    file = run.export / "1" / "assets.extra" / "metadata.json"
    for text in ("{", "{}"):
        file.write_text(text)
        assert not is_exported(run, model)
    file.unlink()
    assert not is_exported(run, model)
    shutil.rmtree(run.export / "1")
    assert not is_exported(run, model)
