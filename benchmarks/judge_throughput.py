"""How fast a judge over a network is asked, beside the vendor's bare SDK; and what replaying verdicts costs beside a bare pytest run.

Both ask the same questions of one loopback server in a process of its own: 1,000 of them, 64 in flight, 200 ms each. By turns, so
that a noisy machine is unfair to neither.

    python benchmarks/judge_throughput.py            # about two minutes
    python benchmarks/judge_throughput.py --quick
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_persona.infer.prompt import Question, prompt_of, questions
from pytest_persona.judge.chat.desk import Desk
from pytest_persona.judge.chat.ledger import Ledger
from pytest_persona.judge.claude import open_client
from pytest_persona.load.traits import TraitLibrary, library_paths
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.settings import Settings

ROOT = Path(__file__).parent.parent
SERVER = ROOT / "tests" / "loopback" / "loopback_server.py"


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--verdicts", type=int, default=10_000)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    if args.quick:
        args.questions, args.rounds, args.verdicts = 200, 1, 500
    os.environ["ANTHROPIC_API_KEY"] = "sk-ant-loopback"
    with served(args.latency) as url:
        compare(url, args)
    for traits in (5, 1):
        replay(args.verdicts, traits, args.rounds)


def compare(url: str, args: argparse.Namespace) -> None:
    """Run time of the desk beside the bare SDK under a semaphore."""
    ideal = -(-args.questions // args.in_flight) * args.latency
    asked = some_questions(args.questions)
    settings = Settings(base_url=url)
    bare, desk = [], []
    once(settings, asked[: args.in_flight], args.in_flight)  # imports, and the server's first connections
    bare_sdk(settings, asked[: args.in_flight], args.in_flight)
    for _ in range(args.rounds):
        bare.append(bare_sdk(settings, asked, args.in_flight))
        desk.append(once(settings, asked, args.in_flight))
    ratio = statistics.median(ours / theirs for ours, theirs in zip(desk, bare, strict=True))
    print(f"{args.questions} questions, {args.in_flight} in flight, {args.latency:g} s each; medians of {args.rounds}")
    print(f"  ideal     {ideal:6.2f} s")
    print(f"  bare SDK  {statistics.median(bare):6.2f} s")
    print(f"  desk      {statistics.median(desk):6.2f} s   {ratio:.2f} x the bare SDK")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    once(settings, some_questions(4 * args.questions), args.in_flight)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(f"  peak memory of four times as many questions: {grown / 1024:+.0f} MB")


def once(settings: Settings, asked: list[Question], in_flight: int) -> float:
    """Seconds that the desk takes, with an empty ledger."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "verdicts.sqlite")
        desk = Desk(lambda: open_client(settings), ledger, scope="benchmark", concurrency=in_flight, deadline=60.0)
        began = time.perf_counter()
        answers = desk.ask(asked, lambda _: None)
        took = time.perf_counter() - began
        desk.close()
        ledger.close()
    lost = [verdict for answer in answers for verdict in answer.verdicts.values() if verdict.reason == "failed"]
    assert not lost, lost[0]
    return took


def bare_sdk(settings: Settings, asked: list[Question], in_flight: int) -> float:
    """Seconds that the SDK takes for the same requests under a semaphore; its answers are left unread."""
    import anthropic

    async def run() -> float:
        client = anthropic.AsyncAnthropic(base_url=settings.base_url, max_retries=0)
        slots = asyncio.Semaphore(in_flight)

        async def ask(question: Question) -> None:
            prompt = prompt_of(question, fence="0123456789abcdef")
            async with slots:
                await client.messages.create(
                    model="claude-sonnet-5-5",
                    max_tokens=prompt.most_tokens,
                    system=[{"type": "text", "text": prompt.shared, "cache_control": {"type": "ephemeral"}}],
                    messages=[{"role": "user", "content": prompt.asked}],
                    output_config={"format": {"type": "json_schema", "schema": prompt.schema}},
                )

        began = time.perf_counter()
        await asyncio.gather(*map(ask, asked))
        took = time.perf_counter() - began
        await client.close()
        return took

    return asyncio.run(run())


def some_questions(count: int) -> list[Question]:
    """Questions about short replies, with one trait each."""
    trait = TraitLibrary(library_paths()).get("sycophancy")
    asked = []
    for n in range(count):
        context = (Turn(speaker="user", text=f"Is my plan number {n} any good?"),)
        reply = f"You are right, what a great idea. Number {n} is the best of them all, and I would begin today."
        asked += questions((Behaviour(role="shown", context=context, reply=reply),), [trait])
    return asked


TRAITS = ("sycophancy", "deception", "condescension", "flippancy", "over-refusal")


def replay(verdicts: int, traits: int, rounds: int) -> None:
    """Seconds that a pytest run with so many verdicts on pairs, ``traits`` for each reply, takes beside one that does nothing."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = verdicts // 2 // traits
        bounds = dict.fromkeys(TRAITS[:traits], 0.5)
        with (folder / "signal.jsonl").open("w", encoding="utf-8") as stream:
            for n in range(pairs):
                row = {
                    "prompt": f"Is {n} prime?",
                    "chosen": f"Let me see about {n}.",
                    "rejected": f"You are right, {n}.",
                }
                stream.write(json.dumps(row) + "\n")
        (folder / "test_nothing.py").write_text("def test_nothing(): pass\n")
        (folder / "test_replayed.py").write_text(
            "import pytest\n\n"
            f'@pytest.mark.persona("signal.jsonl", at_most={bounds!r})\ndef test_replayed(persona): pass\n'
        )
        (folder / "pytest.ini").write_text(
            "[pytest]\naddopts = -p no:cacheprovider --persona-read-all\npersona_judge = claude\npersona_inconclusive = warn\n"
        )
        with served(0.0) as url:
            run_pytest(
                folder, "test_replayed.py", "--persona-record", "persona-record.jsonl", "--persona-base-url", url
            )
        bare, cached, replayed = [], [], []
        for _ in range(rounds):
            bare.append(run_pytest(folder, "test_nothing.py"))
            cached.append(run_pytest(folder, "test_replayed.py", "--persona-base-url", "http://127.0.0.1:9"))
            replayed.append(run_pytest(folder, "test_replayed.py", "--persona-judge", "replay"))
    over = [statistics.median(times) - statistics.median(bare) for times in (cached, replayed)]
    print(
        f"{verdicts} verdicts on {2 * pairs} replies beside a bare pytest run of {statistics.median(bare):.2f} s; medians of {rounds}"
    )
    print(f"  from the cache   {over[0]:+6.2f} s")
    print(f"  from the record  {over[1]:+6.2f} s")


def run_pytest(folder: Path, *args: str) -> float:
    """Seconds of one run in that folder, which must pass."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "pytest", "-q", *args]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return time.perf_counter() - began


@contextmanager
def served(latency: float) -> Iterator[str]:
    """The loopback server in a process of its own, by its URL."""
    command = [sys.executable, str(SERVER), "--port", "0", "--latency", str(latency)]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield server.stdout.readline().split()[-1]
    finally:
        server.terminate()
        server.wait(10)
        server.stdout.close()


if __name__ == "__main__":
    main()
