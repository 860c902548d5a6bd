"""The default judge: persona vectors of a small language model's hidden states, offline."""

from pytest_persona.judge.embedded.judge import EmbeddedJudge

__all__ = ["EmbeddedJudge"]
