"""scripts/commit-titles, run in repositories of its own: it finds wrong titles, and passes without a history."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

GOOD = (
    "code: keep state when code_change raises",
    "epc, code: give two clients names of their own",
    "load/commit: swap all at once",
    "emacs: need no second look",
    "kernel: pass on what a hook raises",
    "docs: bring the second tutorial up to date",
    "tests: focus on what fails",
)
BAD = {
    "code: keep " + "x" * 62: "73 characters, at most 72",
    "keep state when code_change raises": "not of the form",
    "Code: keep state": "not of the form",
    "code:keep state": "not of the form",
    "code: Keep state": "a verb in small letters",
    "code: keep state.": "no full stop",
    "code: kept the state": "",  # an irregular past: beyond a rule
    "code: added a check": "not an imperative",
    "code: adds a check": "not an imperative",
    "code: adding a check": "not an imperative",
    "code: checks for coroutines": "not an imperative",
    "code: a check for coroutines": "not an imperative",
    "code: what insists on the end": "not an imperative",
}


class Repository:
    """A git repository with the script in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "scripts").mkdir(parents=True)
        shutil.copy(ROOT / "scripts/commit-titles", root / "scripts")

    def git(self, *arguments: str) -> str:
        """Run git, with no settings of the user's, and return its output."""
        who = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(["git", *who, *arguments], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, title: str) -> str:
        """Commit nothing under that title; return the commit."""
        self.git("commit", "--quiet", "--allow-empty", "-m", title)
        return self.git("rev-parse", "HEAD")

    def check(self, *arguments: str) -> tuple[int, str]:
        """Run the script; return its exit code and all that it prints."""
        script = [str(self.root / "scripts/commit-titles"), *arguments]
        done = subprocess.run(script, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return a repository with one commit, whose title is wrong, as old ones are."""
    found = Repository(tmp_path / "first")
    found.git("init", "--quiet", "--initial-branch=main")
    found.commit("Everything so far.")
    return found


@pytest.fixture
def make_copy(repository: Repository, tmp_path: Path) -> Callable[[str], Repository]:
    """Return a function that clones the last commit alone, or copies the files alone."""

    def copy(how: str) -> Repository:
        found = Repository(tmp_path / how)
        if how == "shallow":
            source = f"file://{repository.root}"
            repository.git("clone", "--quiet", "--depth", "1", source, str(tmp_path / "clone"))
            shutil.move(tmp_path / "clone" / ".git", found.root / ".git")
        return found

    return copy


def test_good_titles_pass(repository: Repository) -> None:
    """Those since the base; that the base itself is wrong is no matter."""
    base = repository.git("rev-parse", "HEAD")
    for title in GOOD:
        repository.commit(title)

    assert repository.check(base) == (0, f"{len(GOOD)} commit titles since {base[:12]}, 0 wrong\n")


def test_wrong_titles_are_named_with_the_reason(repository: Repository) -> None:
    """Each of them, and no other."""
    base = repository.git("rev-parse", "HEAD")
    commits = {title: repository.commit(title) for title in BAD}

    code, output = repository.check(base)

    assert code == 1
    lines = output.splitlines()
    for title, why in BAD.items():
        found = [index for index, line in enumerate(lines) if line.endswith(f" {title}")]
        if not why:
            assert found == [], title
            continue
        (index,) = found
        assert commits[title].startswith(lines[index].partition(" ")[0]), title
        assert why in lines[index + 1], title
    assert lines[-1].endswith(f"{sum(map(bool, BAD.values()))} wrong")


def test_a_merge_has_the_title_that_git_gives_it(repository: Repository) -> None:
    """It is not looked at."""
    base = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("code: add a side")
    repository.git("checkout", "--quiet", "main")
    repository.commit("code: add a middle")
    repository.git("merge", "--quiet", "--no-ff", "-m", "Merge branch 'side'", "side")

    assert repository.check(base) == (0, f"2 commit titles since {base[:12]}, 0 wrong\n")


@pytest.mark.parametrize(("how", "said"), [("archive", "has no git"), ("shallow", "(a shallow one?)")])
def test_without_the_history_it_says_so_and_passes(
    repository: Repository, make_copy: Callable[[str], Repository], how: str, said: str
) -> None:
    """An archive has none, a shallow clone not that of the base."""
    base = repository.git("rev-parse", "HEAD")
    repository.commit("Wrong.")

    code, output = make_copy(how).check(base)

    assert code == 0
    assert output.startswith("commit titles: not checked, ")
    assert said in output


def test_without_a_base_it_says_how_it_is_called(repository: Repository) -> None:
    """To check nothing would look like success."""
    code, output = repository.check()

    assert code == 2
    assert "scripts/commit-titles BASE" in output
