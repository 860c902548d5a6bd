"""The likelihood judge: how much likelier a reply is from a character at one pole than from one at the other."""

from pytest_persona.judge.likelihood.judge import LikelihoodJudge
from pytest_persona.judge.likelihood.reader import Reader, read_characters

__all__ = ["LikelihoodJudge", "Reader", "read_characters"]
