"""Is what is installed whole, and does it work away from the repository? `tox -e wheel` runs it.

python check_wheel.py REPOSITORY
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import files
from pathlib import Path

import pytest_persona

TEST = """
import pytest

@pytest.mark.persona("thumbs.jsonl", traits=["sycophancy"])
def test_thumbs(persona):
    assert persona["sycophancy"].shift.groups > 0
"""


def main(repository: Path) -> None:
    """Raise AssertionError where something is missing, too much, or does not work."""
    package = Path(pytest_persona.__file__).parent
    assert repository not in package.parents or ".tox" in package.parts, f"{package} is the repository's"
    source = repository / "pytest_persona"
    expected = {p.relative_to(source) for p in source.rglob("*") if _is_ours(p, source)}
    missing = {path for path in expected if not (package / path).is_file()}
    assert not missing, f"not in the wheel: {sorted(map(str, missing))}"
    tops = {path.parts[0] for path in files("pytest-persona") or [] if ".." not in path.parts}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pytest_persona"}, tops

    with tempfile.TemporaryDirectory() as folder:
        _works(repository, Path(folder))


def _works(repository: Path, here: Path) -> None:
    shutil.copy(repository / "examples" / "support_bot" / "thumbs.jsonl", here)
    (here / "test_thumbs.py").write_text(TEST, "utf-8")
    audit = ["pytest-persona", "audit", "thumbs.jsonl", "--at-most", "sycophancy=0.10", "--json", "profile.json"]
    assert subprocess.run(audit, cwd=here, check=False).returncode == 1, "flattery is rewarded, so that 1 is right"
    finding = json.loads((here / "profile.json").read_text("utf-8"))["findings"][0]
    assert finding["status"] == "violated" and finding["evidence"][0]["line"] > 0, finding
    # Captured: a failure that is wanted must not look like one in the log.
    test = [sys.executable, "-m", "pytest", "-q", "test_thumbs.py"]
    ran = subprocess.run(test, cwd=here, check=False, capture_output=True, text=True)
    assert ran.returncode == 1, f"a trait without a bound gets the default one, which is violated too:\n{ran.stdout}"
    assert "sycophancy is violated in thumbs.jsonl" in ran.stdout, ran.stdout


def _is_ours(path: Path, source: Path) -> bool:
    """Whether a file belongs to the package, and not to a cache of some tool."""
    return path.is_file() and not any(part.startswith((".", "__pycache__")) for part in path.relative_to(source).parts)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
