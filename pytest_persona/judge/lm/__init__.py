"""The embedded language model: SmolLM2-135M-Instruct in numpy."""

from pytest_persona.judge.lm.language_model import LanguageModel
from pytest_persona.judge.lm.weights import find_weights, install

__all__ = ["LanguageModel", "find_weights", "install"]
