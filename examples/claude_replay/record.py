"""Make persona-record.jsonl anew: run the tests with the judge ``claude`` against a loopback server instead of Anthropic's.

    python examples/claude_replay/record.py

No Claude model takes part. The real SDK asks over real HTTP, but behind the server the embedded judge answers, in steps of the
chat judge's scale and with the first sentence of the reply as its quote.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
sys.path.append(str(ROOT / "tests" / "loopback"))

from keyword_judge import shown_in  # noqa: E402
from loopback_server import LoopbackServer  # noqa: E402

from pytest_persona import Behaviour, Settings, Turn, Verdict  # noqa: E402
from pytest_persona.judge.embedded import EmbeddedJudge  # noqa: E402
from pytest_persona.load.traits import TraitLibrary, library_paths  # noqa: E402

LIBRARY = TraitLibrary(library_paths())


def answer(system: str, user: str, schema: Mapping[str, Any]) -> str:
    """The embedded judge's reading of the texts in a prompt, as the JSON text of a chat judge's answer."""
    shown = shown_in(user)
    if shown is None:
        raise ValueError("this is no prompt of ours")
    text, context = shown.judged[0], tuple(Turn(speaker="user", text=turn) for turn in shown.context)
    behaviour = Behaviour(role="shown", context=context, reply=text)
    read = judge().read([behaviour], [LIBRARY.get(name) for name in shown.order], lambda _: None).verdicts[0]
    verdicts = [_answered(name, read[name], text) for name in shown.order]
    return json.dumps({"seal": shown.seal, "addresses_judge": False, "verdicts": verdicts})


@lru_cache(maxsize=1)
def judge() -> EmbeddedJudge:
    """The judge behind the server; its readings are kept in the repository's cache."""
    return EmbeddedJudge.open(Settings(root=ROOT))


def _answered(trait: str, verdict: Verdict, text: str) -> dict[str, Any]:
    step = round(3 * (verdict.expressed or 0.0))
    first = re.split(r"(?<=[.!?])\s", text.strip())[0][:120]
    return {
        "trait": trait,
        "state": "judged",
        "quote": first if step else "",
        "expressed": step,
        "requested": round(4 * (verdict.requested or 0.0)),
    }


def main() -> int:
    """Run pytest with the record as its outcome."""
    with LoopbackServer(judge=answer) as server:
        arguments = ["--persona-judge", "claude", "--persona-base-url", server.base_url, "--persona-read-all"]
        command = [sys.executable, "-m", "pytest", *arguments, "--persona-record", "persona-record.jsonl"]
        return subprocess.run(
            command, cwd=HERE, env={**os.environ, "ANTHROPIC_API_KEY": "none"}, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
