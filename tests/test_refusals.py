"""What flags and files decide is refused before TensorFlow is imported: in one line, with status 2, nothing written."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from conftest import MAIN, ROOT

import configs
from infogan_tf.command_line import recipe_of
from infogan_tf.commands.refusals import refuse
from infogan_tf.config.options import Config
from infogan_tf.errors import UserError
from infogan_tf.models.choices import resolve, taken
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import begin

# Runs every case of a list in one process in which nothing may import TensorFlow, and says what came of each.
DRIVER = """
import contextlib, io, json, sys, traceback
from pathlib import Path
sys.argv[0] = sys.argv[1]
sys.path.insert(0, str(Path(sys.argv[1]).parent))
import configs, main

def state():
    return {str(path): (path.lstat().st_mtime_ns, path.is_file() and path.read_text()) for path in Path().rglob("*")}

for flags in json.loads(sys.argv[2]):
    before, printed, complained = state(), io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
        try:
            status = main.main(["main.py", *flags], configs)
        except BaseException:
            status = traceback.format_exc()
    print(json.dumps([status, printed.getvalue(), complained.getvalue(), state() == before]))
"""

LONG = "a" * 300
CASES = [
    (["--batch_sise=3"], ["batch_sise", "Did you mean", "batch_size"]),
    (["--batch_size=1"], ["--batch_size", "an integer from 2 to 65,536"]),
    (["--batch_size=many"], ["--batch_size", "'many'"]),
    (["--lambda_info=nan"], ["--lambda_info", "nan"]),
    (["--jit_compile=perhaps"], ["jit_compile", "perhaps"]),
    (["mnist"], ["expected flags only", "'mnist'"]),
    # Names.
    (["--mode=fly"], ["--mode", "train, sweep, evaluate, compare, sample, encode, export, explore", "'fly'"]),
    (["--dataset=mnits"], ["--dataset", "digits, mnist, fashion_mnist, sprites", "'mnits'"]),
    (["--dataset=tfds:"], ["--dataset", "tfds:NAME, such as tfds:cifar10", "'tfds:'"]),
    (["--recipe=fast"], ["--recipe", "one of paper, invariant, quick with digits", "'fast'"]),
    (["--dataset=tfds:cifar10", "--recipe=talk"], ["--recipe", "invariant, quick, faces", "tfds:cifar10", "'talk'"]),
    (["--dataset=cifar10", "--image_size=30"], ["--image_size", "multiples of 4", "'30'"]),
    (["--dataset=sprites", "--image_size=32"], ["--image_size", "--dataset=sprites is as it is"]),
    (["--model=flow"], ["--model", "one of infogan, gan", "'flow'"]),
    (["--networks=unet"], ["--networks", "one of paper, dcgan, resnet, began, noisy_mlp, mlp", "'unet'"]),
    # Options that the mode does not read.
    (["--codes=c1=3"], ["--codes", "--mode=sample", "--mode=train"]),
    (["--count=3"], ["--count", "--mode=sample"]),
    (["--runs=a,b"], ["--runs", "--mode=compare"]),
    (["--seeds=1,2"], ["--seeds", "--mode=sweep"]),
    (["--mode=export", "--run_dir=run", "--count=3"], ["--count", "--mode=export"]),
    (["--mode=sweep", "--dry_run"], ["--run_dir", "--dry_run", "none"]),
    (["--mode=evaluate", "--dry_run"], ["--dry_run", "--mode=evaluate"]),
    (["--mode=sample", "--run_dir=run", "--resume"], ["--resume", "--mode=sample"]),
    (["--mode=compare", "--batch_size=4"], ["--batch_size", "--mode=compare"]),
    (["--mode=explore", "--saved_model=export", "--batch_size=4"], ["--batch_size", "--saved_model"]),
    # Options that nothing in the run takes.
    (["--model=gan", "--lambda_info=2"], ["--lambda_info", "--model=gan does not take it"]),
    (["--model=gan", "--invariance_weight=1"], ["--invariance_weight", "--model=gan"]),
    (["--networks=mlp", "--spectral_norm"], ["--spectral_norm", "--networks=mlp does not take it", "=true"]),
    (["--label_smoothing=0.1", "--adversarial_loss=hinge"], ["--label_smoothing", "--adversarial_loss=hinge"]),
    (["--invariances=rotate:5"], ["--invariances", "--invariance_weight is 0"]),
    # Languages, and options that do not go together.
    (["--latents=noise:62,cats:10"], ["--latents", "position 10", "noise:62,cats:10"]),
    (["--latents=noise:62"], ["--latents", "a code", "--model=infogan"]),
    (["--model=gan", "--latents=noise:62,cat:10"], ["--latents", "no codes", "--model=gan"]),
    (["--invariance_weight=1", "--invariances=rotate"], ["--invariances", "rotate:SIZE"]),
    (["--invariance_weight=1", "--invariances=c9=rotate:5"], ["--invariances", "'c9'"]),
    (
        ["--invariance_weight=1", "--invariances=auto;c9=rotate:5", "--latents=noise:4,cat:3"],
        ["--invariances", "Received: 'c9' in 'auto;c9=rotate:5'"],
    ),
    (
        ["--invariance_weight=1", "--invariances=auto", "--latents=noise:4,uniform:2"],
        ["--invariances", "no code is discrete", "Received: 'auto' in 'auto'"],
    ),
    (["--lr_decay_steps=5,3"], ["--lr_decay_steps", "ascending"]),
    (["--starts=3"], ["--starts", "--invariance_weight is 0"]),
    (["--recipe=invariant", "--labelled=20", "--starts=3"], ["--starts", "--labelled tells the classes", "=3"]),
    # Nothing is written into a folder of images, neither by a name nor because one stands there.
    (["--dataset=full", "--run_dir=full/run"], ["--run_dir", "outside the folder of images", "'full/run'"]),
    (["--dataset=."], ["--run_dir", "outside the folder of images", "'runs'"]),
    (["--mode=sweep", "--dataset=."], ["--run_dir", "outside the folder of images", "'runs'"]),
    (["--mode=evaluate", "--samples=full", "--output=full/a.json"], ["--output", "outside", "'full/a.json'"]),
    (["--mode=evaluate", "--samples=swept", "--dataset=."], ["--output", "outside the folder", "'samples.json'"]),
    # Weights to begin with.
    (["--start_from=run", "--latents=noise:62,uniform:2,cat:10"], ["--start_from", "latents", "/run'", "10,uniform:2"]),
    (["--start_from=run", "--latents=normal_noise:62,cat:10,uniform:2"], ["--start_from", "latents", "are noise:62"]),
    (["--start_from=run", "--model=vae"], ["--start_from", "latents"]),
    (["--mode=sweep", "--start_from=run", "--grid=latents=noise:4,cat:3|noise:74"], ["--start_from", "noise:4,cat:3"]),
    # Runs.
    (["--run_dir=file"], ["--run_dir", "expected a folder", "'file'"]),
    (["--run_dir=file/below"], ["--run_dir", "expected a folder", "'file/below'"]),
    (["--run_dir=full"], ["--run_dir", "--resume", "'full'"]),
    ([f"--run_dir={LONG}"], [LONG, "too long"]),
    (["--resume"], ["--run_dir", "Received none"]),
    (["--resume", "--run_dir=nowhere"], ["--run_dir", "config.json", "'nowhere'"]),
    (["--resume", "--run_dir=broken"], ["broken/config.json", "JSON"]),
    (["--resume", "--run_dir=old"], ["--run_dir", "infogan_tf 0.2", "0.1.0", "old/config.json"]),
    (["--resume", "--run_dir=run", "--batch_size=16"], ["--batch_size", "keeps it", "16"]),
    (["--resume", "--run_dir=run", "--dataset=mnist"], ["--dataset", "'digits'", "'mnist'"]),
    (["--resume", "--run_dir=gan", "--lambda_info=2"], ["--lambda_info", "--model=gan does not take it"]),
    (["--resume", "--run_dir=run", "--spectral_norm"], ["--spectral_norm", "False and keeps it"]),
    (["--resume", "--run_dir=unknown"], ["unknown/config.json", "--model", "infogan, gan", "'flow'"]),
    (["--mode=sample", "--run_dir=old"], ["--run_dir", "0.1.0"]),
    (["--mode=sample", "--run_dir=bare"], ["--run_dir", "none yet"]),
    (["--mode=export", "--run_dir=bare"], ["--run_dir", "none yet"]),
    (["--mode=evaluate", "--run_dir=bare"], ["--run_dir", "none yet"]),
    (["--mode=evaluate", "--run_dir=run", "--evaluation=none"], ["--evaluation", "'none'"]),
    (["--mode=sample", "--run_dir=run", "--output=there.png"], ["--output", "exists", "there.png"]),
    (["--mode=sample", "--run_dir=run", "--output=grid.tif"], ["--output", ".png", "grid.tif"]),
    (["--mode=sample", "--run_dir=run", "--output=still.gif"], ["--output", "--codes=NAME=START:END", "still.gif"]),
    (
        ["--mode=sample", "--run_dir=run", "--output=tall.jpg", "--codes=c1=0:1", "--count=10000"],
        ["--output", "34 x 85,000 pixels", "65,535", "tall.jpg"],
    ),
    (["--mode=sample", "--run_dir=run", "--output=no/where.png"], ["--output", "a folder that exists"]),
    (["--mode=sample", "--run_dir=run", "--count=10001"], ["--count", "at most 10,000 for a picture"]),
    (["--mode=sample", "--run_dir=run", "--codes=c9=1"], ["--codes", "c9=1"]),
    (["--mode=sample", "--run_dir=run", "--codes=c1=10"], ["--codes", "a class from 0 to 9 for c1"]),
    (["--mode=sample", "--run_dir=gan", "--codes=c1=1"], ["--codes", "a run that has codes"]),
    (["--mode=sample", "--run_dir=run", "--latents_file=nowhere.csv"], ["--latents_file", "No such file", "nowhere"]),
    (["--mode=sample", "--run_dir=run", "--latents_file=full"], ["--latents_file", "directory", "'full'"]),
    (["--mode=sample", "--run_dir=run", "--latents_file=there.png"], ["--latents_file", "c1,c2,c3,z1", "kept"]),
    (["--mode=sample", "--run_dir=run", "--latents_file=/dev/zero"], ["--latents_file", "device", "'/dev/zero'"]),
    (["--mode=sample", "--run_dir=run", "--latents_file=few.csv", "--count=3"], ["--count", "--latents_file", "3"]),
    (["--mode=sample", "--run_dir=run", "--latents_file=few.csv"], ["--latents_file", "a class from 0 to 9", "line 3"]),
    (["--mode=sample", "--run_dir=run", "--latents_file=none.csv"], ["--latents_file", "a row or more", "none.csv"]),
    # Sums of samples.
    (["--mode=sample", "--run_dir=run", "--arithmetic=3,a"], ["--arithmetic", "numbers of samples", "'3,a'"]),
    (["--mode=sample", "--run_dir=run", "--arithmetic=1 - - 2"], ["--arithmetic", "groups", "'1 - - 2'"]),
    (["--mode=sample", "--run_dir=run", "--arithmetic=-1 + 2"], ["--arithmetic", "groups", "'-1 + 2'"]),
    (["--mode=sample", "--run_dir=run", "--arithmetic=1,,2"], ["--arithmetic", "'1,,2'"]),
    (["--mode=sample", "--run_dir=run", "--arithmetic=99 + 100"], ["--arithmetic", "from 0 to 99", "Received: 100"]),
    (["--mode=sample", "--run_dir=run", "--arithmetic=4", "--count=4"], ["--arithmetic", "from 0 to 3", "Received: 4"]),
    (
        ["--mode=sample", "--run_dir=run", f"--arithmetic={','.join(['1'] * 101)}"],
        ["--arithmetic", "at most 100 samples in 26 groups", "101 in 1"],
    ),
    (["--mode=sample", "--run_dir=run", f"--arithmetic={'+'.join(['1'] * 27)}"], ["--arithmetic", "27 in 27"]),
    (
        ["--mode=sample", "--run_dir=run", "--arithmetic=1", "--count=10001", "--output=sum/"],
        ["--arithmetic", "at most 10,000 samples", "10,001"],
    ),
    (
        ["--mode=sample", "--run_dir=run", "--arithmetic=1", "--codes=c2=-1:1", "--output=sum.gif"],
        ["--output", "a .png", "--arithmetic", "sum.gif"],
    ),
    (["--mode=sample", "--run_dir=run", "--numbered", "--output=a.jpg"], ["--output", "--numbered", "a.jpg"]),
    (["--mode=sample", "--run_dir=run", "--numbered", "--output=a/"], ["--output", "--numbered", "a/"]),
    # Pictures of any program.
    (["--mode=evaluate", "--samples=nowhere"], ["--samples: expected a folder", "'nowhere'"]),
    (["--mode=evaluate", "--samples=full", "--run_dir=run"], ["--run_dir, --samples", "one of them", "'run', 'full'"]),
    (["--mode=evaluate", "--samples=full", "--lambda_info=2"], ["--lambda_info", "--samples, which does not read it"]),
    (["--mode=evaluate", "--samples=full", "--image_size=32"], ["--image_size", "--dataset=digits is as it is"]),
    (["--mode=evaluate", "--samples=full", "--output=f.txt"], ["--output", "a new .json file", "f.txt"]),
    (["--mode=evaluate", "--run_dir=run", "--output=f.json"], ["--output", "expected with --samples", "f.json"]),
    # Codes of images.
    (["--mode=encode"], ["--run_dir", "Received none"]),
    (["--mode=encode", "--run_dir=bare"], ["--run_dir", "none yet"]),
    (["--mode=encode", "--run_dir=gan"], ["--run_dir", "a run that reads something in images", "--model=gan"]),
    (["--mode=encode", "--run_dir=run", "--dataset=nowhere"], ["--dataset", "a folder", "'nowhere'"]),
    (["--mode=encode", "--run_dir=run", "--output=codes.txt"], ["--output", ".csv", "codes.txt"]),
    (["--mode=encode", "--run_dir=run", "--output=few.csv"], ["--output", "few.csv", "exists"]),
    (["--mode=encode", "--run_dir=run", "--output=left.csv"], ["--output", "left_skipped.txt", "exists"]),
    (["--mode=encode", "--run_dir=numbers", "--output=sorted/"], ["--output", "no classes", "sorted/"]),
    (["--mode=encode", "--run_dir=run", "--dataset=full", "--output=full/c.csv"], ["--output", "outside", "/c.csv"]),
    (["--mode=encode", "--run_dir=run", "--dataset=full", "--output=full/s/"], ["--output", "outside", "full/s/"]),
    (["--mode=encode", "--run_dir=own", "--dataset=swept", "--output=full/s/"], ["--output", "outside", "full/s"]),
    (["--mode=encode", "--run_dir=run", "--dataset=full", "--crop=left"], ["--crop", "center, none", "'left'"]),
    (["--mode=encode", "--run_dir=run", "--batch_size=3"], ["--batch_size", "keeps it", "3"]),
    # Several.
    (["--mode=sweep", "--seeds=1,1"], ["--seeds", "different integers"]),
    (["--mode=sweep", "--seed=1"], ["--seed", "--seeds"]),
    (["--mode=sweep", "--grid=stepz=1"], ["--grid", "'stepz' is no option of a run"]),
    (["--mode=sweep", "--grid=batch_size=1,64"], ["--batch_size", "an integer from 2"]),
    (["--mode=sweep", "--grid=batch_size=64,64"], ["--grid", "different values of batch_size"]),
    (["--mode=sweep", "--grid=model=infogan,flow"], ["--model", "infogan, gan", "'flow'"]),
    (["--mode=sweep", "--grid=networks=paper,mlp", "--spectral_norm"], ["--spectral_norm", "--networks=mlp"]),
    (["--mode=sweep", "--grid=starts=1,2"], ["--starts", "--invariance_weight is 0"]),
    (["--mode=sweep", "--run_dir=full"], ["--run_dir", "new or empty", "'full'"]),
    (["--mode=sweep", "--resume"], ["--run_dir", "sweep.json"]),
    (["--mode=sweep", "--resume", "--run_dir=full"], ["--run_dir", "sweep.json", "'full'"]),
    (["--mode=sweep", "--resume", "--run_dir=swept"], ["--resume", "--steps=7", "Received: none"]),
    (["--mode=sweep", "--resume", "--run_dir=odd"], ["odd/sweep.json", "'flags'"]),
    (["--mode=compare"], ["--runs", "two folders of runs"]),
    (["--mode=compare", "--runs=run"], ["--runs", "two folders of runs", "'run', with 1"]),
    (["--mode=compare", "--runs=run,run"], ["--runs", "two folders of runs", "with 1"]),
    (["--mode=compare", "--runs=full"], ["--runs", "two folders of runs", "'full', with 0"]),
    (["--mode=compare", "--runs=run,full"], ["--runs", "config.json", "'full'"]),
    (["--mode=compare", "--runs=loop"], ["--runs", "two folders of runs", "'loop', with 0"]),
    (["--mode=compare", "--runs=run,loop"], ["--runs", "'run,loop'"]),
    (["--mode=compare", "--runs=run,old"], ["--runs", "0.1.0"]),
    (["--mode=compare", "--runs=run,gan", "--output=page.txt"], ["--output", "a new .html or .json file"]),
    (["--mode=compare", "--runs=run,gan", "--output=.json"], ["--output", "a new .html or .json file", "'.json'"]),
    (["--mode=sample", "--run_dir=run", "--output=.png"], ["--output", "'.png'"]),
    (["--nojit_compile=true"], ["--nojit_compile=true", "argument"]),
    (["--mode=sweep", "--grid=mode=train"], ["--grid", "'mode' is no option of a run"]),
    (["--labelled=20", "--latents=noise:62,uniform:2"], ["--latents", "cat:10", "--labelled=20"]),
    # The explorer.
    (["--mode=explore"], ["--run_dir, --saved_model, --url", "none"]),
    (["--mode=explore", "--run_dir=run", "--url=http://127.0.0.1:1"], ["expected one of them", "--run_dir, --url"]),
    (["--mode=explore", "--run_dir=full"], ["--run_dir", "config.json"]),
    (["--mode=explore", "--run_dir=bare"], ["--run_dir", "none yet"]),
    (["--mode=explore", "--saved_model=nowhere"], ["--saved_model", "the folder of a SavedModel", "'nowhere'"]),
    (["--mode=explore", "--saved_model=full"], ["--saved_model", "the folder of a SavedModel", "'full'"]),
    (["--mode=explore", f"--saved_model={LONG}"], [LONG, "too long"]),
    (["--mode=explore", "--url=full"], ["--url", "http://HOST:PORT", "'full'"]),
    (["--mode=explore", "--url=http://[:1"], ["--url", "'http://[:1'"]),
    (["--mode=explore", "--url=http://localhost:70000"], ["--url", "http://HOST:PORT", "'http://localhost:70000'"]),
    (["--mode=explore", "--run_dir=run", "--port=70000"], ["--port", "from 0 to 65,535"]),
    *(
        (["--mode=explore", "--run_dir=run", f"--host={host}"], ["--host: expected an address", repr(host)])
        for host in ("", " ", "127.0.0.1 ", "0", "0.0", "0x0", "00.0.0.0", "::0", "0:0:0:0:0:0:0:0", "::ffff:0.0.0.0",
                     "<broadcast>", "no such host", "a" * 70)
    ),
]  # fmt: skip
HEARD = [
    (["--help"], "--batch_size"),
    (["--help", "--mode=sweep"], "--seeds"),
    (["--help", "--model=gan"], "normal_noise:100"),
    (["--dry_run"], "--latents=noise:62,cat:10,uniform:2"),
    (["--dry_run", "--model=gan", "--steps=7"], "--steps=7"),
    (["--dry_run", "--dataset=cifar10", "--crop=none"], "--crop=none"),
    (["--dry_run", "--dataset=tfds:lsun/tower", "--recipe=lsun"], "--dataset=tfds:lsun/tower"),
    (["--dry_run", "--resume", "--run_dir=gan", "--steps=20000"], "--steps=20000"),
    (
        ["--dry_run", "--mode=sweep", "--run_dir=new", "--seeds=3,4", "--model=gan"],
        "--model=gan --seed=4 --run_dir=new",
    ),
]


@pytest.fixture(scope="module")
def poisoned(tmp_path_factory):
    """An environment in which importing TensorFlow or Keras fails."""
    folder = tmp_path_factory.mktemp("poison")
    for name in ("tensorflow", "keras", "tensorflow_datasets"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(f"raise RuntimeError('{name} was imported')")
    return os.environ | {"PYTHONPATH": str(folder)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the cases name."""
    folder = tmp_path_factory.mktemp("here")
    (folder / "file").write_text("kept")
    (folder / "there.png").write_text("kept")
    (folder / "loop").symlink_to("loop")
    (folder / "full").mkdir()
    (folder / "full" / "thesis.txt").write_text("kept")
    (folder / "swept").mkdir()
    (folder / "swept" / "sweep.json").write_text(json.dumps({"flags": ["--steps=7"]}))
    (folder / "odd").mkdir()
    (folder / "odd" / "sweep.json").write_text(json.dumps({"flags": 7}))
    (folder / "left_skipped.txt").write_text("kept")
    header = ",".join(["c1", "c2", "c3", *(f"z{i}" for i in range(1, 63))])
    (folder / "none.csv").write_text(f"{header}\n")
    (folder / "few.csv").write_text("\n".join([header, *(f"{k},0.5,-0.5" + ",0" * 62 for k in (9, 10)), ""]))
    infogan, gan = {"model": "infogan"}, {"model": "gan"}
    runs = {"run": infogan, "gan": gan, "bare": infogan, "old": gan, "unknown": gan}
    runs["own"] = infogan | {"dataset": str(folder / "full")}
    runs["numbers"] = infogan | {"latents": "noise:4,uniform:2"}
    for name, given in runs.items():
        options = taken(resolve(recipe_of(configs, "digits", "paper"), given))
        (folder / name / "checkpoints").mkdir(parents=True)
        data = SimpleNamespace(image_shape=(16, 16, 1), digest="", skipped=())
        begin(RunDirectory(folder / name), options, data, ["main.py"])
        if name != "bare":
            (folder / name / "checkpoints" / "step_00000002.npz").write_text("not looked into")
    for name, find, put in (("old", '"infogan_tf": "0.2', '"infogan_tf": "0.1'), ("unknown", '"gan"', '"flow"')):
        text = (folder / name / "config.json").read_text()
        (folder / name / "config.json").write_text(text.replace(find, put))
    (folder / "broken").mkdir()
    (folder / "broken" / "config.json").write_text("{")
    (folder / "export" / "3").mkdir(parents=True)
    (folder / "export" / "3" / "saved_model.pb").write_text("not looked into")
    return folder


@pytest.fixture(scope="module")
def answers(folder, poisoned):
    """What came of every case: status, what was printed, what was complained, whether all on disk was as before."""
    flags = [flags for flags, _ in (*CASES, *HEARD)]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(MAIN), json.dumps(flags)],
        cwd=folder, env=poisoned, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {json.dumps(case): json.loads(line) for case, line in zip(flags, done.stdout.splitlines(), strict=True)}


@pytest.mark.parametrize(("flags", "parts"), CASES, ids=lambda value: " ".join(value)[:60])
def test_it_is_refused_in_one_line_without_tensorflow(answers, flags, parts):
    status, printed, complained, untouched = answers[json.dumps(flags)]
    assert status == 2, status
    assert printed == ""
    assert complained.count("\n") == 1
    for part in parts:
        assert part in complained
    assert untouched


@pytest.mark.parametrize(("flags", "part"), HEARD, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_needs_no_tensorflow_imports_none(answers, flags, part):
    status, printed, complained, untouched = answers[json.dumps(flags)]
    assert (status, complained, untouched) == (0, "", True)
    assert part in printed


def test_a_dry_run_lists_the_flags_that_ask_for_the_same(answers):
    import shlex

    from infogan_tf.config.flags import parse

    listed = answers[json.dumps(["--dry_run", "--model=gan", "--steps=7"])][1]
    given, _ = parse(["main.py", *shlex.split(listed)])
    assert given["steps"] == 7
    assert "lambda_info" not in given
    own = resolve(recipe_of(configs, "digits", "paper"), {"model": "gan", "steps": 7})
    assert resolve(recipe_of(configs, given["dataset"], given["recipe"]), given) == own


@pytest.mark.parametrize("program", [[str(MAIN)], ["-m", "infogan_tf"]], ids=["main.py", "-m infogan_tf"])
@pytest.mark.parametrize(("flags", "status"), [(["--help"], 0), (["--batch_sise=3"], 2)])
def test_a_process_of_its_own_does_so_too(poisoned, program, flags, status):
    done = subprocess.run(
        [sys.executable, *program, *flags], cwd=ROOT, env=poisoned, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == status, done.stderr
    assert done.stderr.count("\n") == (1 if status else 0)


@pytest.mark.parametrize("url", ["full", "http://[:1", "http://localhost:0", "ftp://localhost:1", "http://a:1/b"])
def test_a_url_that_is_none_is_refused_with_the_other_flags(url):
    given = {"mode": "explore", "url": url}
    with pytest.raises(UserError, match="--url: expected http://HOST:PORT"):
        refuse(Config(**given), given)


@pytest.mark.parametrize("host", ["", " ", "0", "0x0", "::0"])
def test_the_server_itself_listens_nowhere_else(host):
    from infogan_tf.explorer.local_server import serving

    with pytest.raises(UserError, match="--host: expected an address"), serving(lambda *_: None, host):
        pass


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "localhost", "::1", "0.0.0.0", "::"])
def test_an_address_that_says_what_it_is_is_taken(host):
    from infogan_tf.explorer.local_server import check_host

    check_host(host)
