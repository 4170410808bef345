"""Several starts of a run: which is chosen, and that a run stopped anywhere goes on to the same result."""

import itertools
import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from conftest import assert_same, logged, run_here, start, wait_for, weights
from sklearn.metrics import adjusted_mutual_info_score

from infogan_tf.commands import train as training
from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.models.averages import AVERAGE_EVERY
from infogan_tf.models.build import build_model
from infogan_tf.models.infogan import InfoGAN
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.metrics_file import read_lines
from infogan_tf.training.fit import segments
from infogan_tf.training.starts import choice_note, choose_start

FLAGS = ("--recipe=invariant", "--steps=8", "--eval_every=1", "--checkpoint_every=2", "--batch_size=8",
         "--precision=float32", "--latents=noise:6,cat:10", "--evaluation=none",
         # Large steps: after so few of the usual size all images are of one class.
         "--d_learning_rate=1e-2")  # fmt: skip
STARTS = ("--starts=3", "--start_steps=4")


def assert_same_run(run, other):
    assert_same(weights(run, 8), weights(other, 8))
    assert logged(run) == logged(other)
    assert [line["step"] for line in logged(run)] == [*range(1, 9)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of three starts, what it printed, and how often its step was traced. Not to be changed."""
    folder = tmp_path_factory.mktemp("starts")
    step, traced = InfoGAN.train_step, []

    def traced_step(model, data):
        traced.append(model)
        return step(model, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InfoGAN, "train_step", traced_step)
        printed = run_here(*FLAGS, *STARTS, "--run_dir=run", cwd=folder, exporting=False).stdout
    return folder / "run", printed, traced


def test_the_best_of_several_starts_is_trained_on(whole):
    run, printed, _ = whole
    choice = json.loads((run / "starts" / "choice.json").read_text())
    lines = [
        read_lines(run / "metrics.jsonl")[:4]
        if i == choice["chosen"]
        else read_lines(run / f"starts/{i + 1}/metrics.jsonl")
        for i in range(3)
    ]
    assert [[line["step"] for line in each] for each in lines] == [[1, 2, 3, 4]] * 3
    agreements = choice.pop("agreements")
    terms = [each[-1]["d_invariance"] for each in lines]
    best = max(np.argsort(terms)[:2], key=agreements.__getitem__)
    assert choice == {"steps": 4, "invariance_terms": terms, "chosen": int(best)}
    assert len(set(terms)) == len(set(agreements)) == 3
    assert all(0.0 < agreement < 1.0 for agreement in agreements)
    assert f"Start {choice['chosen'] + 1} of 3 was trained on" in printed
    # The pictures and curves are in one place from the first step on; the other starts' weights are gone.
    assert len(list((run / "samples").glob("c1_*.png"))) == 8
    assert not list(run.glob("starts/*/checkpoints"))


def test_the_step_is_traced_once_for_all_starts_and_the_run(whole):
    assert len(whole[2]) == 1


def test_a_start_is_chosen_by_its_last_steps(tmp_path):
    flags = (*FLAGS, "--eval_every=500", "--starts=3", "--start_steps=5")
    run_here(*flags, "--run_dir=run", cwd=tmp_path, exporting=False)
    choice = json.loads((tmp_path / "run" / "starts" / "choice.json").read_text())
    others = [number for number in range(3) if number != choice["chosen"]]
    lines = [read_lines(tmp_path / "run" / "starts" / str(number + 1) / "metrics.jsonl") for number in others]
    assert [[line["step"] for line in each] for each in lines] == [[4, 5]] * 2
    assert [each[-1]["d_invariance"] for each in lines] == [choice["invariance_terms"][number] for number in others]


def test_the_last_epoch_of_a_start_is_neither_most_of_it_nor_a_few_steps():
    for steps in (1, 2, 9, 26, 103, 500, 1_000, 1_001):
        for eval_every in range(1, 1_100):
            epoch = training._epoch_of_start(steps, eval_every)
            assert epoch <= eval_every
            last, fifth = list(segments(0, steps, epoch))[-1][2], max(1, steps // 5)
            assert 0.75 * min(epoch, fifth) <= last <= fifth


def test_the_recipes_starts_have_two_epochs():
    assert list(segments(0, 500, training._epoch_of_start(500, 500))) == [(0, 1, 400), (1, 2, 100)]


def test_a_start_is_judged_by_the_averages_of_its_weights():
    model = build_model(Config(latents="noise:2,cat:4,uniform:1", average_decay=0.5), (8, 8, 1), "float32")
    images = np.random.default_rng(0).integers(0, 256, (50, 8, 8, 1), np.uint8)
    model.step.assign(AVERAGE_EVERY)
    for variable in model.network_variables:  # the averages are still the weights of before
        variable.assign(-variable)
    (classes,) = training._read(model, images)  # c1's; c2 has no classes
    np.testing.assert_array_equal(classes, model.float32_twin().encode(images)["c1"]["probabilities"].argmax(axis=1))
    assert len(set(classes)) > 1
    assert (classes != model.encode(images)["c1"]["probabilities"].argmax(axis=1)).any()


def test_it_is_the_run_that_had_these_weights_at_first_and_no_other_start(whole, tmp_path, monkeypatch):
    chosen = json.loads((whole[0] / "starts" / "choice.json").read_text())["chosen"]
    build = training.build_model
    monkeypatch.setattr(training, "build_model", lambda *arguments, start: build(*arguments, start=chosen))
    run_here(*FLAGS, "--starts=1", "--run_dir=run", cwd=tmp_path, exporting=False)
    assert not (tmp_path / "run" / "starts").exists()
    assert_same_run(tmp_path / "run", whole[0])


def test_starts_differ_in_their_weights_and_the_first_is_that_of_the_seed():
    def kernel(seed, **start):
        model = build_model(Config(latents="cat:2", seed=seed), (8, 8, 1), "float32", **start)
        return model.trunk.trainable_variables[0].numpy()

    of_seed, *others = kernel(0), kernel(0, start=1), kernel(0, start=2), kernel(1), kernel(1, start=1)
    np.testing.assert_array_equal(of_seed, kernel(0, start=0))
    for i, one in enumerate(others):
        assert not any(np.array_equal(one, other) for other in (of_seed, *others[:i]))


@pytest.mark.slow
def test_a_run_killed_in_a_start_goes_on_to_the_same_result(whole, tmp_path):
    process = start(tmp_path, *FLAGS, *STARTS)
    wait_for(tmp_path / "run" / "starts" / "3" / "checkpoints" / "step_00000002.npz", process)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    done = run_here("--resume", "--run_dir=run", "--evaluation=none", cwd=tmp_path, exporting=False).stdout
    assert_same_run(tmp_path / "run", whole[0])
    # The other starts were done, and are not done again.
    assert "step 4 of 8" in done
    assert "Epoch 1, step 0" not in done


@pytest.mark.slow
def test_ctrl_c_in_a_start_says_how_to_go_on_with_the_run(tmp_path):
    process = start(tmp_path, *FLAGS, "--starts=2", "--start_steps=1000", "--steps=1000")
    wait_for(tmp_path / "run" / "starts" / "1" / "checkpoints" / "step_00000002.npz", process)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=900)[0]
    assert process.returncode == 128 + signal.SIGINT
    assert "saved run/starts/1/checkpoints/step_" in said
    assert "--resume --run_dir=run --evaluation=none" in said


# === choose_start ===

FILES = ("tensorboard/events", "samples/c1_00000004.png", "checkpoints/step_00000004.npz")


def write_start(index, start, term):
    """What a start leaves, as far as the choice looks at it."""
    for name in FILES:
        path = start.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"of start {index}")
    start.metrics_file.write_text(
        "".join(json.dumps({"step": s, "d_invariance": t}) + "\n" for s, t in ((2, 0), (4, term)))
    )


# Classes of six images. The others agree with the second one most, whatever the numbers of its classes.
CLASSES = (
    [np.array([0, 0, 0, 1, 1, 1])],
    [np.array([2, 2, 1, 0, 0, 0])],
    [np.array([0, 1, 2, 2, 2, 2])],
)


def started(terms, asked, classes=CLASSES):
    """A train_start that notes which starts are asked for, and leaves what each would."""

    def train_start(index, start):
        asked.append(index)
        write_start(index, start, terms[index])
        return classes[index]

    return train_start


@pytest.mark.parametrize("central", range(3))
@pytest.mark.parametrize("worst", range(3))
def test_of_the_starts_with_lower_terms_the_one_with_the_highest_mean_agreement_is_chosen(tmp_path, central, worst):
    classes = [CLASSES[(1 - central + i) % 3] for i in range(3)]
    pairs = itertools.combinations(range(3), 2)
    agreed = {pair: max(0.0, adjusted_mutual_info_score(*(classes[i][0] for i in pair))) for pair in pairs}
    expected = [np.mean([value for pair, value in agreed.items() if i in pair]) for i in range(3)]
    assert int(np.argmax(expected)) == central
    best = max(set(range(3)) - {worst}, key=expected.__getitem__)
    run, terms = RunDirectory(tmp_path), [0.2 + (i == worst) for i in range(3)]
    choose_start(run, Config(starts=3, start_steps=4), started(terms, [], classes))
    assert_is_start(run, best, terms[best])
    np.testing.assert_allclose(json.loads(run.choice_file.read_text())["agreements"], expected)


@pytest.mark.parametrize("terms", [(0.3, 0.1), (0.1, 0.2), (0.2, 0.2)])
def test_of_two_starts_the_one_with_the_lower_last_term_is_chosen(tmp_path, terms):
    run, best = RunDirectory(tmp_path), int(np.argmin(terms))
    choose_start(run, Config(starts=2, start_steps=4), started(terms, []))
    assert_is_start(run, best, terms[best])
    assert json.loads(run.choice_file.read_text())["agreements"] is None


def assert_is_start(run, index, term):
    for name in FILES:
        assert (run.path / name).read_text() == f"of start {index}"
    assert read_lines(run.metrics_file)[-1] == {"step": 4, "d_invariance": term}
    assert not list(run.path.glob("starts/*/checkpoints"))


@pytest.mark.parametrize("moves", range(6))
def test_a_choice_that_was_interrupted_at_any_move_is_completed(tmp_path, monkeypatch, moves):
    run, config, terms, asked, left = RunDirectory(tmp_path), Config(starts=3), (0.3, 0.1, 0.2), [], moves

    def stopping(move):
        def moved(*arguments, **keywords):
            nonlocal left
            if not left:
                raise InterruptedError
            left -= 1
            return move(*arguments, **keywords)

        return moved

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", stopping(Path.rename))
        patch.setattr(shutil, "rmtree", stopping(shutil.rmtree))
        with pytest.raises(InterruptedError):
            choose_start(run, config, started(terms, asked))
    # Where the checkpoints are in place, train() takes the choice for done.
    assert not run.checkpoints.exists()
    choose_start(run, config, started(terms, asked))
    assert asked == [0, 1, 2]
    assert_is_start(run, 1, 0.1)


@pytest.mark.parametrize(
    ("record", "why"),
    [
        # As an older version wrote it.
        (
            {"invariance_terms": [0.25, 0.125, 0.5], "chosen": 1},
            "for the lowest invariance term after 1,000 steps: invariance terms 0.2500, 0.1250, 0.5000.",
        ),
        (
            {"invariance_terms": [0.25, 0.5, 0.125], "chosen": 0, "agreements": [0.25, 0.5, 0.125]},
            "the one, of the half with the lower invariance terms, with whose classes the others' agree most "
            "after 1,000 steps: agreement 0.2500, 0.5000, 0.1250; invariance terms 0.2500, 0.5000, 0.1250.",
        ),
    ],
)
def test_the_note_says_why(tmp_path, record, why):
    run = RunDirectory(tmp_path)
    assert choice_note(run, Config(starts=3)) == ""
    run.choice_file.parent.mkdir()
    run.choice_file.write_text(json.dumps({"steps": 1_000, **record}))
    assert choice_note(run, Config(starts=3)) == f"Start {record['chosen'] + 1} of 3 was trained on, {why}"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"steps": 4, "invariance_terms": [0.5, 0.25], "chosen": 2}',
        '{"steps": 4, "invariance_terms": [0.5, 0.25], "chosen": 0}',
        '{"steps": 4, "invariance_terms": [0.5, 0.25, 0.125], "chosen": 2}',
        '{"steps": 1e999, "invariance_terms": [0.5, 0.25], "chosen": 1}',
        '{"steps": 4, "invariance_terms": [0.5, 0.25], "chosen": 0, "agreements": [0.5, 0.25]}',
        '{"steps": 4, "invariance_terms": [0.5, 0.25], "chosen": 0, "agreements": [0.5, 0.25, 0.125]}',
        '{"steps": 4, "invariance_terms": [0.5, 0.25], "chosen": 0, "agreements": []}',
    ],
)
def test_a_record_that_cannot_be_read_is_named(tmp_path, text):
    run = RunDirectory(tmp_path)
    run.choice_file.parent.mkdir()
    run.choice_file.write_text(text)
    with pytest.raises(UserError, match=r"choice\.json"):
        choice_note(run, Config(starts=2))
    with pytest.raises(UserError, match=r"choice\.json"):
        choose_start(run, Config(starts=2), started((0.5, 0.25), []))


@pytest.mark.parametrize("text", ["", '{"step": 4}\n', '{"step": 4, "d_invariance": NaN}\n'])
def test_a_start_whose_figures_are_gone_is_named(tmp_path, text):
    def train_start(index, start):
        write_start(index, start, 0.5)
        if index:
            start.metrics_file.write_text(text)
        return CLASSES[index]

    run = RunDirectory(tmp_path)
    with pytest.raises(UserError, match=r"starts/2/metrics\.jsonl"):
        choose_start(run, Config(starts=2), train_start)
    assert not run.choice_file.exists()
