"""Every bad input is answered by one line that names it, before anything is written."""

import json
import subprocess
import sys

import numpy as np
import pytest
from conftest import MAIN, ROOT, run_here, run_main

import configs
from infogan_tf import __version__, command_line
from infogan_tf.config.flags import parse
from infogan_tf.config.options import Config, run_fields
from infogan_tf.data.facts import ImageFacts
from infogan_tf.errors import UserError
from infogan_tf.models.choices import resolve


def refused(capsys, *flags):
    """Runs the command here with bad input; returns its one line."""
    assert command_line.main(["main.py", *map(str, flags)], configs) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--batch_sise=3"], ["batch_sise", "Did you mean", "batch_size"]),
        (["--batch_size=1"], ["--batch_size", "an integer from 2 to 65,536", "1"]),
        (["--batch_size=many"], ["--batch_size", "an integer from 2", "'many'"]),
        (["--batch_size=2000"], ["--batch_size", "1,437 training images", "2000"]),
        (["--lambda_info=-1"], ["--lambda_info", "a number from 0 to 1000", "-1"]),
        (["--lambda_info=nan"], ["--lambda_info", "nan"]),
        (["--lambda_cat=x"], ["--lambda_cat", "a number", "'x'"]),
        (["--steps=1.5"], ["--steps", "an integer", "'1.5'"]),
        (["--adam_beta_1=1"], ["--adam_beta_1", "0.9999"]),
        (["--precision=float8"], ["--precision", "one of auto, float32", "'float8'"]),
        (["--mode=fly"], ["--mode", "train, sweep, evaluate, compare, sample, encode, export", "'fly'"]),
        (["--dataset=mnits"], ["--dataset", "digits", "fashion_mnist", "'mnits'"]),
        (["--recipe=fast"], ["--recipe", "one of paper, invariant, quick", "'fast'"]),
        (["--dataset=shapes3d", "--recipe=invariant"], ["--recipe", "one of paper with shapes3d", "'invariant'"]),
        (["--invariance_weight=1", "--invariances=rotate"], ["--invariances", "rotate:SIZE", "'rotate'"]),
        (["--starts=3"], ["--starts", "--invariance_weight is 0", "3"]),
        (["--latents=noise:62,cats:10"], ["--latents", "position 10", "noise:62,cats:10"]),
        (["--lr_decay_steps=5,3"], ["--lr_decay_steps", "ascending", "5,3"]),
        (["--seed=-1"], ["--seed", "-1"]),
        (["--jit_compile=perhaps"], ["jit_compile", "perhaps"]),
        (["mnist"], ["--dataset=mnist", "'mnist'"]),
        (["--resume"], ["--run_dir", "the folder of a run"]),
        (["--mode=sample"], ["--run_dir", "the folder of a run"]),
        (["--mode=export", "--run_dir=nowhere"], ["--run_dir", "config.json", "'nowhere'"]),
        (["--mode=explore"], ["--run_dir, --saved_model, --url: expected one of them", "Received: none"]),
        (
            ["--mode=explore", "--run_dir=full", "--url=http://127.0.0.1:1"],
            ["expected one of them", "--run_dir, --url"],
        ),
        (["--mode=explore", "--run_dir=full"], ["--run_dir", "config.json", "'full'"]),
        (["--mode=explore", "--saved_model=full"], ["--saved_model", "the folder of a SavedModel", "'full'"]),
        (["--mode=explore", "--url=http://127.0.0.1:1"], ["--url", "does not answer", "'http://127.0.0.1:1'"]),
        (["--mode=explore", "--url=full"], ["--url", "http://HOST:PORT", "'full'"]),
        (["--mode=explore", "--port=70000"], ["--port", "from 0 to 65,535", "70000"]),
        (["--run_dir=file"], ["--run_dir", "expected a folder", "'file'"]),
        (["--run_dir=full"], ["--run_dir", "--resume", "'full'"]),
        (["--run_dir=file/below"], ["--run_dir", "'file/below'"]),
        (["--dataset=mnist", "--data_dir=file"], ["--data_dir", "file"]),
    ],
)
def test_bad_input(capsys, tmp_path, monkeypatch, flags, parts):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("kept")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("kept")
    line = refused(capsys, *flags)
    for part in parts:
        assert part in line
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")} == {"file", "full", "full/thesis.txt"}


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--resume", "--dataset=mnist"], ["--dataset", "'digits'", "'mnist'"]),
        (["--resume", "--batch_size=16"], ["--batch_size", "8", "16"]),
        (["--resume", "--steps=2"], ["--steps", "at least the 4", "2"]),
        (["--mode=sample", "--output=grid.tif"], ["--output", ".png", "grid.tif"]),
        (["--mode=sample", "--output=there.png"], ["--output", "exists", "there.png"]),
        (["--mode=sample", "--output=no/where.png"], ["--output", "no/where.png"]),
        (["--mode=sample", "--output=there.png/"], ["--output", "exists", "there.png/"]),
        (["--mode=sample", "--output=no/where/"], ["--output", "a folder that exists", "no/where/"]),
        (["--mode=sample", "--count=10001"], ["--count", "at most 10,000 for a picture", "NAME.npy", "10001"]),
        (["--mode=sample", "--codes=c9=1"], ["--codes", "c1, c2, c3, c4", "c9=1"]),
        (["--mode=sample", "--codes=c1=10"], ["--codes", "a class from 0 to 9 for c1", "c1=10"]),
        (["--mode=sample", "--codes=c2=high"], ["--codes", "a number for c2", "c2=high"]),
        (["--mode=sample", "--count=0"], ["--count", "0"]),
        (["--mode=sample", "--latents=cat:3"], ["--latents", "cat:3"]),
    ],
)
def test_bad_input_about_a_run(capsys, tmp_path, monkeypatch, tiny_run, flags, parts):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.png").write_text("kept")
    line = refused(capsys, f"--run_dir={tiny_run[0]}", *flags)
    for part in parts:
        assert part in line
    assert (tmp_path / "there.png").read_text() == "kept"
    assert len(list(tmp_path.iterdir())) == 1


VERSIONS = {"versions": {"infogan_tf": __version__}}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps(VERSIONS),
        json.dumps({"config": {"unknown": 1}} | VERSIONS),
        json.dumps({"config": {"steps": "many"}} | VERSIONS),
    ],
)
def test_a_broken_config_file_is_named(capsys, tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    assert str(tmp_path / "config.json") in refused(capsys, "--resume", f"--run_dir={tmp_path}")


@pytest.mark.parametrize("mode", ["train", "evaluate", "sample", "export", "explore"])
@pytest.mark.parametrize("found", [{"infogan_tf": "0.1.0"}, {"tensorflow": "2.21.0"}, None])
def test_a_run_of_another_version_is_refused(capsys, tmp_path, mode, found):
    (tmp_path / "config.json").write_text(json.dumps({"config": Config().to_json(), "versions": found}))
    flags = [f"--mode={mode}", f"--run_dir={tmp_path}", *(["--resume"] if mode == "train" else [])]
    line = refused(capsys, *flags)
    assert f"--run_dir: expected a run of infogan_tf {__version__}" in line
    assert ("one of 0.1.0" if found and "infogan_tf" in found else "one of no version") in line


def test_an_unknown_option_of_a_run_is_named(tmp_path):
    values = Config(steps=7).to_json()
    assert Config.from_json(values, tmp_path) == Config(steps=7)
    with pytest.raises(UserError, match="unknown option 'no_such_weight'"):
        Config.from_json(values | {"no_such_weight": 0.0}, tmp_path)


def test_a_run_without_checkpoint_cannot_be_drawn_from(capsys, tmp_path, monkeypatch, tiny_run):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.json").write_bytes((tiny_run[0] / "config.json").read_bytes())
    assert "none yet" in refused(capsys, "--mode=sample", "--run_dir=run")


@pytest.mark.parametrize("how", ["environment", "file"])
def test_another_keras_backend_is_refused(tmp_path, how):
    (tmp_path / "keras.json").write_text(json.dumps({"backend": "jax"}))
    environment = (
        {"KERAS_BACKEND": "jax"} if how == "environment" else {"KERAS_BACKEND": "", "KERAS_HOME": str(tmp_path)}
    )
    done = run_main(cwd=tmp_path, environment=environment, check=False)
    assert done.returncode == 2
    assert "expected the Keras backend tensorflow. Received: 'jax'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["keras.json"]


def test_help_shows_every_flag_with_the_data_sets_defaults(capsys):
    assert command_line.main(["main.py", "--help", "--dataset=mnist"], configs) == 0
    page = capsys.readouterr().out
    for field in Config.__dataclass_fields__.values():
        assert f"--{field.name}" in page
    assert "default: 5000" in page  # --steps of MNIST, not the 10,000 of Config
    assert "main.py --mode=sample" in page


# Runs command lines, and says of each its exit status and whether TensorFlow was imported. The package takes this
# process for the installed command's; any other one has it import TensorFlow at once.
MANY_COMMANDS = """
import json, sys
lines = json.loads(sys.argv[1])
sys.argv = ["infogan"]
import configs
from infogan_tf import command_line
for line in lines:
    print(command_line.main(["main.py", *line], configs), "tensorflow" in sys.modules)
"""


def test_help_and_what_is_refused_do_not_wait_for_tensorflow(tiny_run):
    of_run = f"--run_dir={tiny_run[0]}"
    lines = [
        ["--help"],
        ["--dry_run"],
        ["--batch_size=1"],
        ["--latents=noise:62,cats:10"],
        ["--invariance_weight=1", "--invariances=rotate"],
        ["--mode=sample", of_run, "--codes=c1=10"],
        ["--mode=compare", "--output=page.txt"],
        ["--mode=sweep", "--grid=stepz=1"],
        ["--resume", "--batch_size=16", of_run],
        ["--dataset=docs", "--labels=README.md"],
        ["--mode=evaluate", of_run, "--labels=README.md"],
    ]
    command = [sys.executable, "-c", MANY_COMMANDS, json.dumps(lines)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    found = [line for line in done.stdout.splitlines() if line.endswith((" True", " False"))]
    assert found == ["0 False"] * 2 + ["2 False"] * 9, done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == 9


def config_of(*flags):
    """The options that a command line asks for, and those that it gives."""
    given, _ = parse(["main.py", *flags])
    recipe = command_line.recipe_of(configs, given.get("dataset", Config.dataset), given.get("recipe", Config.recipe))
    return resolve(recipe, given), given


def test_a_flag_overrides_the_data_sets_default():
    config, given = config_of("--steps=7", "--noresume")
    eval_every = command_line.recipe_of(configs, "digits", "paper").eval_every
    assert (config.steps, config.dataset, config.eval_every) == (7, "digits", eval_every)
    assert eval_every != Config.eval_every
    assert given == {"steps": 7, "resume": False}


def test_an_empty_value_has_its_meaning():
    # The model has learning rates that fall, and latents of its own.
    config, _ = config_of("--dataset=sprites", "--model=text", "--lr_decay_steps=", "--latents=")
    assert (config.learning_rate_boundaries(), config.latents) == ([], "noise:100,caption:sprites")
    assert config_of("--dataset=sprites", "--model=text")[0].learning_rate_boundaries() == [5_000]


def test_a_recipe_changes_the_defaults_and_flags_change_the_recipe():
    paper, _ = config_of("--dataset=mnist")
    config, given = config_of("--dataset=mnist", "--recipe=invariant", "--steps=7")
    assert (paper.recipe, paper.invariance_weight) == ("paper", 0.0)
    assert (config.recipe, config.steps) == ("invariant", 7)
    assert config.invariance_weight > 0.0
    assert given == {"dataset": "mnist", "recipe": "invariant", "steps": 7}


@pytest.mark.parametrize(
    ("flags", "networks"),
    [
        (["--recipe=invariant"], "paper"),
        (["--recipe=invariant", "--seed=3", "--spectral_norm"], "paper"),
        # What was chosen stays so.
        (["--recipe=invariant", "--networks=resnet"], "resnet"),
        (["--recipe=invariant", "--width=32"], "dcgan"),
        (["--recipe=invariant", "--steps=9"], "paper"),
    ],
)
def test_train_is_told_the_options_by_what_the_images_are(tmp_path, monkeypatch, flags, networks):
    np.save(tmp_path / "mine.npy", np.zeros((4, 16, 16), np.uint8))
    told = []
    monkeypatch.setattr("infogan_tf.commands.train.train", lambda *arguments: told.append(arguments))
    assert command_line.main(["main.py", f"--dataset={tmp_path / 'mine.npy'}", *flags], configs) == 0
    [(config, given, _, by_facts)] = told
    found = by_facts(ImageFacts(4, 16, 16, figures=True))
    assert found.networks == networks
    assert (found.dataset, found.recipe, found.seed) == (config.dataset, config.recipe, config.seed)
    assert all(getattr(found, name) == value for name, value in given.items())
    assert found.feature_matching_start < found.steps


@pytest.mark.parametrize("flags", [[], ["--recipe=invariant", "--dataset=digits"]])
def test_other_recipes_do_not_go_by_what_the_images_are(tmp_path, monkeypatch, flags):
    np.save(tmp_path / "mine.npy", np.zeros((4, 16, 16), np.uint8))
    told = []
    monkeypatch.setattr("infogan_tf.commands.train.train", lambda *arguments: told.append(arguments))
    assert command_line.main(["main.py", f"--dataset={tmp_path / 'mine.npy'}", *flags], configs) == 0
    assert told[0][3] is None


# Flags, and the word of the one that is refused, with why.
NOT_READ = [
    # By the mode.
    (["--mode=evaluate", "--count=3"], "--count: expected with --mode=sample. Received: with --mode=evaluate"),
    (["--codes=c1=3"], "--codes: expected with --mode=sample"),
    (["--seeds=1,2"], "--seeds: expected with --mode=sweep"),
    (["--mode=sample", "--evaluation=full"], "--evaluation: expected with --mode=train or --mode=sweep or"),
    (["--mode=export", "--resume"], "--resume: expected with --mode=train or --mode=sweep"),
    # By the model.
    (["--model=gan", "--lambda_info=2"], "--lambda_info: --model=gan does not take it"),
    (["--model=gan", "--lambda_warmup=5"], "--lambda_warmup: --model=gan does not take it"),
    (["--model=gan", "--invariance_weight=1"], "--invariance_weight: --model=gan does not take it"),
    (["--model=gan", "--contrast_weight=1"], "--contrast_weight: --model=gan does not take it"),
    (["--model=gan", "--posterior_stddev=1"], "--posterior_stddev: --model=gan reads no codes"),
    (["--model=vaegan", "--d_updates=2"], "--d_updates: --model=vaegan does not take it"),
    (["--model=vaegan", "--adversarial_loss=hinge"], "--adversarial_loss: --model=vaegan does not take it"),
    (["--model=vae", "--reconstruction_weight=1"], "--reconstruction_weight: --model=vae does not take it"),
    (["--e_learning_rate=0.1"], "--e_learning_rate: --model=infogan does not take it"),
    (["--gamma=0.3"], "--gamma: --model=infogan does not take it"),
    (["--model=vae", "--minibatch_kernels=5"], "--minibatch_kernels: --model=vae has no d_head"),
    (["--model=began", "--networks=paper", "--minibatch_kernels=5"], "--minibatch_kernels: --model=began has no"),
    # By the networks.
    (["--networks=mlp", "--spectral_norm"], "--spectral_norm: --networks=mlp does not take it"),
    (["--networks=mlp", "--virtual_batch_norm"], "--virtual_batch_norm: --networks=mlp does not take it"),
    (["--width=32"], "--width: --networks=paper does not take it"),
    (["--networks=dcgan", "--preset=svhn"], "--preset: --networks=dcgan does not take it"),
    (["--networks=resnet", "--minibatch_kernels=5"], "--minibatch_kernels: --networks=resnet does not take it"),
    # By a term whose weight is 0.
    (["--entropy_weight=0.3"], "--entropy_weight: --invariance_weight is 0"),
    (["--recipe=invariant", "--starts=1", "--start_steps=7"], "--start_steps: --starts is 1"),
    (["--invariances=flip"], "--invariances: --invariance_weight is 0"),
    (["--feature_matching_start=9"], "--feature_matching_start: --feature_matching_weight is 0"),
    (["--instance_noise_steps=9"], "--instance_noise_steps: --instance_noise is 0"),
    # By another without which it does nothing.
    (["--invariance_weight=1", "--haste=2"], "--haste: --haste_steps is 0"),
    (["--invariance_weight=1", "--haste_steps=2"], "--haste_steps: --haste is 1"),
    (["--invariance_weight=1", "--certainty_start=2"], "--certainty_start: --certainty is 1"),
    (
        ["--invariance_weight=1", "--marginal_weight=0", "--marginal_tolerance=0.1"],
        "--marginal_tolerance: --marginal_weight is 0",
    ),
    (["--lr_decay_factor=0.5"], "--lr_decay_factor: --lr_decay_steps is empty"),
    # By the codes.
    (["--latents=noise:62,cat:10", "--lambda_cont=2"], "--lambda_cont: --latents has no continuous code"),
    (["--latents=noise:62,cat:10,bernoulli:1", "--posterior_stddev=1"], "--posterior_stddev: --latents has no contin"),
    (["--latents=noise:62,uniform:2", "--lambda_cat=2"], "--lambda_cat: --latents has no discrete code"),
    # By a loss that sets D no target.
    (["--adversarial_loss=hinge", "--label_smoothing=0.1"], "--label_smoothing: --adversarial_loss=hinge sets D no"),
    (["--adversarial_loss=wasserstein", "--label_smoothing=0.1"], "--label_smoothing: --adversarial_loss=wasserstein"),
]


@pytest.mark.parametrize(("flags", "words"), NOT_READ)
def test_a_flag_that_nothing_reads_is_refused(capsys, tmp_path, monkeypatch, flags, words):
    monkeypatch.chdir(tmp_path)
    assert words in refused(capsys, *flags)
    assert not list(tmp_path.iterdir())


def test_what_nothing_reads_may_be_given_as_it_is_by_default():
    config, _ = config_of("--dataset=mine.npy", "--recipe=invariant", "--invariance_weight=0")
    assert (config.invariance_weight, config.starts, config.start_steps) == (0.0, 1, 1_000)
    config, _ = config_of("--model=gan", "--lambda_info=1", "--entropy_weight=0.1", "--recipe=invariant")
    # Of the recipe, too, nothing is left that a GAN does not take.
    assert (config.invariance_weight, config.lambda_warmup, config.entropy_weight) == (0.0, 0, 0.1)
    assert config.average_decay > 0.0


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--model=gan", "--latents=noise:62,cat:10"], "--latents: expected no codes"),
        (["--latents=noise:62"], "--latents: expected a code"),
        (["--latents=noise:62,cat:10,label:10"], "--latents: expected no label"),
        (["--latents=noise:62,cat:10", "--contrast_weight=1"], "--latents: expected two codes or more with --contrast"),
        (
            ["--model=gna"],
            "--model: expected one of infogan, gan, cgan, text, semi_supervised, vae, cvae, vaegan, began. "
            "Received: 'gna'",
        ),
        (
            ["--networks=vgg"],
            "--networks: expected one of paper, dcgan, resnet, began, noisy_mlp, mlp. Received: 'vgg'",
        ),
        (
            ["--preset=cars"],
            "--preset: expected one of mnist, svhn, celeb_a, faces, chairs, infogan_cr. Received: 'cars'",
        ),
    ],
)
def test_a_model_that_cannot_be_had_is_refused(capsys, flags, words):
    assert words in refused(capsys, *flags)


def test_every_bound_is_an_allowed_value():
    for field in run_fields():
        for bound in (field.metadata["low"], field.metadata["high"]):
            if bound is not None:
                assert getattr(Config(**{field.name: bound}), field.name) == bound


def test_main_is_short():
    assert len(MAIN.read_text().splitlines()) < 80


def test_samples_can_be_drawn_with_fixed_codes(tmp_path, tiny_run):
    import numpy as np

    from infogan_tf.pictures import read_png

    flags = [f"--run_dir={tiny_run[0]}", "--mode=sample", "--count=5"]
    done = run_here(*flags, "--codes=c1=3,c2=-1.5", "--output=a.png", cwd=tmp_path)
    assert "Wrote a.png: 5 samples" in done.stdout
    run_here(*flags, "--codes=c1=4,c2=-1.5", "--output=b.png", cwd=tmp_path)
    run_here(*flags, "--codes=c1=4,c2=-1.5", "--seed=9", "--output=c.png", cwd=tmp_path)
    a, b, c = (read_png(tmp_path / f"{name}.png") for name in "abc")
    assert a.shape == (2 * 17 + 1, 3 * 17 + 1, 1)
    assert not np.array_equal(a, b)
    assert not np.array_equal(b, c)
