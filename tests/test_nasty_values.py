"""Every option with values that nobody should give it: taken as they stand, or refused in one line, nothing written.

The cases are made of the options' own table, so that a new option is attacked without a line here.
"""

import contextlib
import dataclasses
import decimal
import io
import os
import re
import sys
import traceback
from pathlib import Path
from types import SimpleNamespace

import pytest

import configs
from infogan_tf import command_line
from infogan_tf.command_line import recipe_of
from infogan_tf.config.flags import parse, value_of
from infogan_tf.config.options import MODES, Config
from infogan_tf.data.located import located
from infogan_tf.errors import UserError
from infogan_tf.models.choices import options_of_term, resolve, taken
from infogan_tf.objectives import TERMS
from infogan_tf.runs.directory import RunDirectory
from infogan_tf.runs.records import begin

NUMBERS = (
    "", " ", "-", "1_0", "٣", "\uff13\uff12", "½", "²", "9" * 400, "9" * 5000, "-" + "9" * 5000, "0" * 5000 + "8",
    "1e400", "-1e400", "1e-400", "1e-50", "1e39", "1e99999999999999999999", "inf", "-inf", "Infinity", "nan", "0x10",
    "1e3", "16.0", "+8", "-0", "-0.0", "-1", " 8 ", "8\n", "8,5", "8.5.2", "8 8", "True", "None", "8\0", "8\udcff",
    "2147483647", "2147483648", "9223372036854775808", "1000000000", "0.5", "8", "64",
)  # fmt: skip
TEXTS = (
    "", " ", "a" * 255, "a" * 256, "ü" * 128, "a" * 5000, "/".join(["a" * 200] * 25), "/a" * 2100,
    "a/" * 40 + "b" * 256,
    "a\0b", "\0", "\udcff", "full/\udcff", "a\nb", "a\rb", "\x1b[31mred", "\u2028", "~nobodyhere/x", "~", "/dev/null",
    "/dev/zero", "/proc/self/mem", ".", "..", "/", "//", "full", "full/", "file", "file/below", "pipe", "loop", "gone",
    "odd\udcff", "closed", "closed/x", "-", "--", "$x$", "<b>", "\\", "%s%n", "{0}", "٣", "1_0", "nan", "1e400",
    "9" * 5000, "True", "None", ",", ",,,", ";", "=", ":", "x:y:z", "c1=3,c1=4", "c1=" + "9" * 5000, "c1=٣", "c1=1_0",
    "c2=nan", "c2=1e39", "c2=1e-60", "c2=1_0", "c2=0:1:" + "9" * 5000, "c2=-2:2:1000,c3=-2:2:1000", "c1=0:9:3",
    "noise:" + "9" * 5000, "cat:٣", "cat:2x" + "9" * 5000, "bernoulli:100000", "noise:100000,cat:100000",
    "rotate:nan", "rotate:1_0", "rotate:1e-60", "rotate:٣", "c9=rotate:5", "rgb(999,0,0)",
    "rgb(1,2," + "9" * 5000 + ")",
    "hsv(" + "9" * 400 + ",1%,1%)", "hsl(9,999%,9%)", "#12", "0,0,0,0", "0,0,٣,4", "1,2,3," + "9" * 5000, "64x64x64",
    "٦٤", "6_4", "9999999999", "5,5", "3,٤", "1_0,2_0", "1," + "9" * 400, "1," + "9" * 5000, "-1", "0,1,2147483648",
    "http://", "http://h:99999999", "http://h:0", "http://h:٣", "http://[::1", "http://a b:1", "http://a\tb",
    "http://" + "a" * 70 + ":1", "http://u:p@h:1", "http://h:1/v1/models/" + "a" * 5000, "http://h:1/v1/models/%",
    "http://h\udcff:1", "http://ü:1", "ftp://h:1", "HTTP://h:-1", "256.256.256.256", "1.2.3.4.5", "::1%nope",
    "steps=1;steps=2", "steps=1,1.0", "steps=" + "9" * 5000, "seed=1", "steps=1_0", "lambda_info=" + "9" * 400,
    "lambda_info=1e-400", "data_dir=" + "a" * 256, "data_dir=\udcff", "data_dir=a/b,a_b", "labels=gone", "dataset=.",
    "steps=" + ",".join(map(str, range(1, 1002))), "batch_size=" + ",".join(map(str, range(2, 300)))
    + ";steps=" + ",".join(map(str, range(1, 300))) + ";width=4,5;eval_every=" + ",".join(map(str, range(1, 999))),
    ",".join(map(str, range(5000))), "run,run,gan", "run," + "a" * 256, "run,\udcff",
    "tfds:" + "a" * 300, "tfds:\udcff",
    "tfds:a/" + "٣" * 9, "tfds:../../x", "mnist\n", "MNIST", "x.png", "x.csv", "x.json", "x.html", "x.npy", "x.gif",
    "x.jpg", "x/", "a" * 251 + ".png", "a" * 251 + ".csv", "a" * 250 + ".json", "a" * 250 + ".html", "a" * 251 + ".npy",
    "b" * 254 + "/", "\udcff.png", "a\nb.csv", "there.png", "pipe/x.png", "full/x.png",
)  # fmt: skip

FIELDS = {field.name: field for field in dataclasses.fields(Config)}

# What an option that is read only beside others needs beside it.
BESIDE = {
    "width": ["--networks=dcgan"],
    "start_steps": ["--invariance_weight=1", "--starts=2"],
    "starts": ["--invariance_weight=1"],
    "host": ["--run_dir=run"],
    "port": ["--run_dir=run"],
    "labels": ["--dataset=cifar10"],
    **{name: ["--model=began"] for name in ("gamma", "lambda_k")},
    **{name: ["--model=vaegan"] for name in ("reconstruction_weight", "e_learning_rate")},
    "interpolation_weight": ["--model=cgan"],
    **{name: ["--dataset=cifar10"] for name in ("image_size", "channels", "crop", "background", "cache_dir")},
    **{name: [f"--{weight}=1"] for weight, *names in (options_of_term(place).values() for place in TERMS)
       for name in names},
    "haste": ["--invariance_weight=1", "--haste_steps=1"],
    "haste_steps": ["--invariance_weight=1", "--haste=2"],
    "certainty_start": ["--invariance_weight=1", "--certainty=2"],
    "lr_decay_factor": ["--lr_decay_steps=5"],
}  # fmt: skip
# The options whose values are of others, or count with those of others.
NAMED_BY = {"grid": r"\w+", "seeds": "grid", "codes": "count", "samples": "run_dir|output", "dataset": "run_dir|output",
            "resume": "run_dir"}  # fmt: skip
OF_A_RUN = ("evaluate", "sample", "encode", "export")


def command_lines(name):
    """The command lines that an option is tried in, one for each mode that reads it, without the option itself."""
    modes = FIELDS[name].metadata["modes"] or ("train", "sweep", *OF_A_RUN)
    for mode in modes if name != "mode" else ("train",):
        beside = ["--dry_run"] if mode == "train" and name != "mode" else [f"--mode={mode}"] if name != "mode" else []
        if mode in OF_A_RUN and name not in ("run_dir", "samples"):
            beside.append("--run_dir=run")
        if mode == "compare" and name != "runs":
            beside.append("--runs=run,gan")
        if mode not in OF_A_RUN:
            beside += BESIDE.get(name, [])
        yield beside


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What the values name."""
    folder = tmp_path_factory.mktemp("nasty")
    (folder / "file").write_text("kept")
    (folder / "there.png").write_text("kept")
    (folder / "full").mkdir()
    (folder / "full" / "thesis.txt").write_text("kept")
    (folder / "closed").mkdir(mode=0)
    (folder / "odd\udcff").mkdir()
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    (folder / "gone").symlink_to("nowhere")
    for name in ("run", "gan"):
        options = taken(resolve(recipe_of(configs, "digits", "paper"), {"model": {"run": "infogan"}.get(name, name)}))
        (folder / name / "checkpoints").mkdir(parents=True)
        data = SimpleNamespace(image_shape=(16, 16, 1), digest="", skipped=())
        begin(RunDirectory(folder / name), options, data, ["main.py"])
        (folder / name / "checkpoints" / "step_00000002.npz").write_text("not looked into")
    yield folder
    (folder / "closed").chmod(0o700)


@pytest.fixture
def called(monkeypatch, folder):
    """What would be worked on: (config, given) of each command that is not refused."""
    found = []
    for mode in MODES:
        command = SimpleNamespace(**{mode: lambda config, given, *_: found.append((config, given))})
        monkeypatch.setitem(sys.modules, f"infogan_tf.commands.{mode}", command)
    monkeypatch.chdir(folder)
    return found


def state(folder):
    """All that lies in a folder."""
    return sorted((str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*"))


def answer(flags):
    """Status, what was printed and what was complained; a traceback in the status's place."""
    printed, complained = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(complained):
        try:
            status = command_line.main(["main.py", *flags], configs)
        except BaseException:
            status = traceback.format_exc().splitlines()[-1]
    printed.seek(0)
    return status, printed.read(), complained.getvalue()


def means(field, text, value):
    """Whether a value is what was written."""
    if field.type is bool:
        return value is {"true": True, "false": False}.get(text.lower())
    if field.type is str:
        # Images of one's own and the like are kept by their absolute paths.
        return value == text or (
            value.startswith("/") and os.path.abspath(value) == os.path.abspath(Path(text).expanduser())  # noqa: PTH100
        )
    if not re.fullmatch(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", text):
        return False
    with decimal.localcontext(prec=40):
        wanted = decimal.Decimal(text)
        return abs(decimal.Decimal(value) - wanted) <= abs(wanted) * decimal.Decimal("1e-7")


def fault(flags, field, text, called):
    """What is wrong with the answer to a command line, in words; empty where nothing is."""
    called.clear()
    status, printed, complained = answer(flags)
    if status == 2:
        if printed or called:
            return "refused after something was done"
        if complained.count("\n") != 1 or not complained.endswith("\n") or not complained[:-1].isprintable():
            return f"not one line: {complained[:200]!r}"
        if not re.search(rf"--({field.name}|{NAMED_BY.get(field.name, '-')})\b", complained):
            return f"the line does not name the option: {complained[:200]!r}"
        return ""
    if status != 0:
        return f"ended by {str(status)[:200]}"
    if complained:
        return f"complained: {complained[:200]!r}"
    for config, _ in called:
        if not means(field, text, getattr(config, field.name)):
            return f"taken as {getattr(config, field.name)!r:.200}"
    if "--dry_run" in flags:
        listed = [line.strip("'") for line in printed.splitlines()]
        found = [line.partition("=")[2] for line in listed if line.startswith(f"--{field.name}=")]
        if not field.metadata["modes"] and text and not (found and means(field, text, _as(field, found[0]))):
            return f"listed as {found!r:.200}"
    return ""


def _as(field, text):
    if field.type is bool:
        return text == "true"
    return text if field.type is str else float(text) if field.type is not int else int(text)


def is_within_bounds(field, text):
    """Whether it is refused by itself, and so in every mode alike."""
    try:
        value_of(field, text)
    except UserError:
        return False
    return True


def faults(name, called, folder):
    """By value, what is wrong with how an option takes it."""
    field, found, tried = FIELDS[name], {}, 0
    values = TEXTS if field.type is str and not field.metadata["choices"] else NUMBERS
    if name == "runs":  # for which a whole disk would be looked through
        values = [text for text in values if text.strip("/.")]
    for beside in command_lines(name):
        before = state(folder)
        for text in values if not tried else filter(lambda text: is_within_bounds(field, text), values):
            tried += 1
            if wrong := fault([*beside, f"--{name}={text}"], field, text, called):
                found[" ".join(beside), text[:60]] = wrong
        if state(folder) != before:
            found[" ".join(beside), ""] = "something was written"
    return found


@pytest.mark.parametrize("name", FIELDS)
def test_an_option_takes_a_value_as_it_stands_or_refuses_it_in_one_line(name, called, folder):
    found = faults(name, called, folder)
    assert not found, "\n".join(f"{beside} {text!r}: {wrong}" for (beside, text), wrong in found.items())


@pytest.mark.parametrize("flag", ["--flagfile=flags.txt", "-flagfile=flags.txt", "--undefok=batch_sise", "--flagfile"])
def test_flags_are_read_from_the_command_line_alone(folder, called, flag):
    (folder / "flags.txt").write_text("--steps=7\n")
    status, printed, complained = answer(["--dry_run", flag])
    assert (status, printed) == (2, "")
    assert complained.startswith(f"main.py: Unknown command line flag '{flag.lstrip('-')}'")


@pytest.mark.parametrize("name", [name for name, field in FIELDS.items() if field.metadata["path"]])
def test_a_tilde_is_the_home_in_every_path(folder, called, monkeypatch, name):
    monkeypatch.setenv("HOME", str(folder / "full"))
    (folder / "full" / "a").mkdir(exist_ok=True)
    (folder / "full" / "b").mkdir(exist_ok=True)
    (folder / "full" / "t.csv").write_text("file,hat\na.png,1\nb.png,0\n")
    mode = (FIELDS[name].metadata["modes"] or ("train",))[0]
    text = {"runs": "~/a,~/b", "output": "~/x.png", "labels": "~/t.csv"}.get(name, "~/a")
    given, _ = parse(["main.py", f"--mode={mode}", f"--{name}={text}"])
    found = located(given)[name]
    assert found == text.replace("~", str(folder / "full"))


@pytest.mark.parametrize("name", ["data_dir", "cache_dir", "labels", "start_from"])
def test_what_a_run_reads_again_later_is_found_from_anywhere(folder, monkeypatch, name):
    monkeypatch.chdir(folder)
    assert located({name: "some/where"})[name] == str(folder / "some" / "where")
