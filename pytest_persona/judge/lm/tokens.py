"""Text and chats as token ids: byte-level BPE of the SmolLM2 family, and its chat template."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizers import Tokenizer, pre_tokenizers
from tokenizers.models import BPE

from pytest_persona.errors import JudgeError
from pytest_persona.judge.lm.gguf_file import GgufFile

OPENING_TOKENS = 5
"""The template's own tokens between the end of the last turn's text and an open reply."""

_ROLES = ("system", "user", "assistant", "tool")


class Tokens:
    """Turns text, and chats, into the token ids of one model.

    Raises `JudgeError` where the file's tokenizer is not the one of SmolLM and SmolLM2.
    """

    def __init__(self, file: GgufFile) -> None:
        kind = (file.field("tokenizer.ggml.model"), file.field("tokenizer.ggml.pre"))
        if kind != ("gpt2", "smollm"):
            raise JudgeError(f"{file.path}: its tokenizer is {'/'.join(kind)}; only gpt2/smollm is understood.")
        vocabulary = {token: index for index, token in enumerate(file.field("tokenizer.ggml.tokens"))}
        merges: list[tuple[str, str]] = [tuple(merge.split(" ")) for merge in file.field("tokenizer.ggml.merges")]
        try:
            self._start, self._end = vocabulary["<|im_start|>"], vocabulary["<|im_end|>"]
        except KeyError as error:
            raise JudgeError(
                f"{file.path}: its vocabulary has no {error}, so it is no chat model of this family."
            ) from error
        # No special token is registered: none can come of text, whatever it says. `render` puts them in by number.
        self._tokenizer = Tokenizer(BPE(vocabulary, merges))
        self._tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )

    def encode(self, text: str) -> list[int]:
        """The ids of a text that nobody vouches for: "<|im_start|>" in it is twelve ordinary characters.

        Lone surrogates, which JSON can hold and UTF-8 cannot, are read as "?".
        """
        ids: list[int] = self._tokenizer.encode(text.encode("utf-8", errors="replace").decode("utf-8")).ids
        return ids

    def render(self, messages: Sequence[tuple[str, str]], *, open_reply: bool = True) -> list[int]:
        """The ids of a chat, in the model's own template, without the default system prompt it would put in front.

        ``messages`` are (role, content); roles are system, user, assistant and tool. The model knows no tool role: a
        tool's result is shown as a user turn that says what it is. With ``open_reply`` the ids end where the
        assistant's next reply begins. Raises `ValueError` for another role.
        """
        ids: list[int] = []
        for role, content in messages:
            if role not in _ROLES:
                raise ValueError(f"role {role!r}: must be one of {', '.join(_ROLES)}")
            head = "user\nResult of the tool:" if role == "tool" else role
            ids += [self._start, *self.encode(f"{head}\n{content}"), self._end, *self.encode("\n")]
        if open_reply:
            ids += [self._start, *self.encode("assistant\n")]
        return ids
