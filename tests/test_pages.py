"""The pages of docs/: their links lead somewhere, and the commits that they name are there to be checked out."""

import re
import subprocess

import pytest
from conftest import ROOT

PAGES = sorted([ROOT / "README.md", ROOT / "export" / "README.md", *(ROOT / "docs").rglob("*.md")])


def prose_of(page):
    """A page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors_of(page):
    """What a link may name after #, as GitHub makes it of the headings."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)) if not link.startswith("http")]
    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors_of(target), link


def test_commits_that_pages_name_are_there():
    shallow = subprocess.run(
        ["git", "rev-parse", "--is-shallow-repository"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if shallow.stdout.strip() != "false":
        pytest.skip("the history is not here")
    words = {word for page in PAGES for word in re.findall(r"\b[0-9a-f]{7}\b", page.read_text(encoding="utf-8"))}
    commits = sorted(word for word in words if re.search("[a-f]", word) and re.search("[0-9]", word))
    assert len(commits) > 20
    done = subprocess.run(
        ["git", "cat-file", "--batch-check"],
        input="\n".join(commits),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert [line for line in done.stdout.splitlines() if " commit " not in line] == []
