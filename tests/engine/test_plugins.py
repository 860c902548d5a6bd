"""Who takes part, and what is said of a plugin that cannot."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pluggy
import pytest

from pytest_persona import __version__
from pytest_persona.engine import builtins, judges
from pytest_persona.engine.plugins import GROUP, console_manager, register_installed, shared_suites
from pytest_persona.errors import JudgeError, PersonaError
from pytest_persona.model.suites import Offer
from pytest_persona.settings import Settings

Module = Callable[[str, str], str]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Module:
    """Writes a module of the working directory and gives its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return write


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Makes a package ``acme-traits`` seem installed whose entry point is the one given."""

    def install(value: str, name: str = "acme-traits") -> None:
        folder = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
        (folder / "entry_points.txt").write_text(f"[{GROUP}]\nacme = {value}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


def plugins_of(manager: pluggy.PluginManager) -> list[str]:
    return [plugin.__name__ for plugin in manager.get_plugins()]


def test_the_built_in_judges_and_library_are_there() -> None:
    hooks = console_manager().hook
    assert set(judges(hooks)) == {"embedded", "claude", "likelihood", "openai", "replay"}
    assert "sycophancy.yaml" in {path.name for paths in hooks.pytest_persona_traits() for path in paths}
    assert shared_suites(hooks).keys() == {"core"}


def test_the_embedded_judge_is_imported_only_when_it_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[Settings] = []

    class Fake:
        EmbeddedJudge: Any = type("EmbeddedJudge", (), {"open": staticmethod(opened.append)})

    factory = judges(console_manager().hook)["embedded"]
    monkeypatch.setitem(sys.modules, "pytest_persona.judge.embedded", Fake())
    settings = Settings(root=tmp_path)
    factory(settings)
    assert opened == [settings]


def test_an_undecorated_function_of_a_module_is_a_hook(module: Module) -> None:
    name = module("brand_voice", "def pytest_persona_judges():\n    return {'mine': len}\n\ndef other(): ...\n")
    assert "mine" in judges(console_manager([name]).hook)


def test_a_decorated_hook_keeps_its_options(module: Module) -> None:
    early = "import pluggy\n@pluggy.HookimplMarker('pytest')(tryfirst=True)\n"
    first = module("first", f"{early}def pytest_persona_load_signal(path):\n    return ['first']\n")
    second = module("second", "def pytest_persona_load_signal(path):\n    return ['second']\n")
    assert console_manager([first, second]).hook.pytest_persona_load_signal(path=Path("x")) == ["first"]


def test_hooks_of_pytest_itself_are_left_to_pytest(module: Module) -> None:
    text = "import pluggy\n@pluggy.HookimplMarker('pytest')\ndef pytest_configure(config): ...\n"
    assert "conftest_like" in plugins_of(console_manager([module("conftest_like", text)]))


def test_what_is_no_function_is_no_hook(module: Module) -> None:
    assert "with_constant" in plugins_of(console_manager([module("with_constant", "pytest_persona_version = '1'\n")]))


def test_a_module_may_be_named_twice(module: Module) -> None:
    name = module("twice", "def pytest_persona_judges():\n    return {'mine': len}\n")
    assert "mine" in judges(console_manager([name, name]).hook)


def test_two_judges_of_one_name_are_refused(module: Module) -> None:
    name = module("usurper", "def pytest_persona_judges():\n    return {'embedded': len}\n")
    with pytest.raises(JudgeError, match="two plugins offer a judge named 'embedded'"):
        judges(console_manager([name]).hook)


SUITES = "import pathlib\ndef pytest_persona_suites():\n    return {%r: pathlib.Path('s.persona.yaml')}\n"


def test_suites_are_found_by_name_with_who_offers_them(
    module: Module, installed: Callable[..., None], tmp_path: Path
) -> None:
    path = tmp_path / "s.persona.yaml"
    installed(module("acme_code", SUITES % "acme:support"))
    offers = shared_suites(console_manager([module("mine", SUITES % "x.y:b-c")]).hook)
    assert offers.keys() == {"acme:support", "x.y:b-c", "core"}
    assert {name: offer for name, offer in offers.items() if name != "core"} == {
        "acme:support": Offer(name="acme:support", path=path, package="acme-traits", package_version="1.0"),
        "x.y:b-c": Offer(name="x.y:b-c", path=path, package="mine"),
    }


def test_two_packages_that_offer_one_name_are_refused_by_their_names(
    module: Module, installed: Callable[..., None]
) -> None:
    installed(module("acme_code", SUITES % "acme:support"))
    with pytest.raises(PersonaError, match=r"acme-traits 1\.0 and two\. Uninstall or rename one of them\."):
        shared_suites(console_manager([module("two", SUITES % "acme:support")]).hook)
    installed(module("evil_code", SUITES % "acme:support"), "evil-suites")
    with pytest.raises(PersonaError) as caught:
        shared_suites(console_manager().hook)
    first, second = sorted(("acme-traits 1.0", "evil-suites 1.0"), key=str(caught.value).index)
    assert str(caught.value) == (
        f"two plugins offer a suite named 'acme:support': {first} and {second}. Uninstall or rename one of them."
    )


def test_what_is_built_in_has_a_bare_name_and_our_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    offered = {"core-of-tests": tmp_path / "c.persona.yaml"}
    monkeypatch.setattr(builtins, "pytest_persona_suites", lambda: offered, raising=False)
    offer = shared_suites(console_manager().hook)["core-of-tests"]
    assert (offer.package, offer.package_version) == ("pytest-persona", __version__)


@pytest.mark.parametrize("name", ["support", "a:b:c", ":b", "a:", "a b:c", "acme:x.yaml", "acme:x@1", 3])
def test_a_name_that_cannot_be_a_suites_is_refused(module: Module, name: object) -> None:
    with pytest.raises(PersonaError, match=r"^mine: .* cannot name a suite\. Use package:name, of letters"):
        shared_suites(console_manager([module("mine", SUITES % name)]).hook)


def test_a_package_offers_only_under_the_name_of_its_entry_point(
    module: Module, installed: Callable[..., None]
) -> None:
    installed(module("acme_code", SUITES % "other:support"))
    with pytest.raises(PersonaError) as caught:
        shared_suites(console_manager().hook)
    assert str(caught.value) == (
        "acme-traits: 'other:support' is not its to offer. Call it acme:support, after its entry point."
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("['a']", r"^mine: pytest_persona_suites returned \['a'\]\. Return a mapping from package:name to a path\."),
        ("{'a:b': 3}", r"^mine: the suite 'a:b' is 3\. Give the path of its file\."),
    ],
)
def test_what_is_no_mapping_to_paths_is_refused(module: Module, text: str, said: str) -> None:
    name = module("mine", f"def pytest_persona_suites():\n    return {text}\n")
    with pytest.raises(PersonaError, match=said):
        shared_suites(console_manager([name]).hook)


def test_a_misspelt_hook_is_refused_with_the_nearest(module: Module) -> None:
    name = module("misspelt", "def pytest_persona_judgez(): ...\n")
    with pytest.raises(PersonaError) as caught:
        console_manager([name])
    assert str(caught.value) == (
        "--plugin misspelt: there is no hook pytest_persona_judgez. Did you mean pytest_persona_judges?"
    )


def test_a_hook_unlike_any_is_refused_with_all(module: Module) -> None:
    name = module("unlike", "def pytest_persona_zzzzzzzzzzzzzzzzzzzzzzzzzzz(): ...\n")
    with pytest.raises(PersonaError, match=r"Hooks: pytest_persona_judges, pytest_persona_load_signal, "):
        console_manager([name])


def test_a_wrong_argument_is_named(module: Module) -> None:
    name = module("wrong", "def pytest_persona_verdict(behaviour, verdikt): ...\n")
    with pytest.raises(PersonaError, match=r"^--plugin wrong: Plugin 'wrong' for hook .*'verdikt'") as caught:
        console_manager([name])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere_to_be_found\n", "No module named"),
        ("raise RuntimeError\n", "RuntimeError"),
        ("x = (\n", "'\\('"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(module: Module, text: str, said: str) -> None:
    name = module("broken", text)
    with pytest.raises(PersonaError, match=f"--plugin broken: the module cannot be imported: .*{said}"):
        console_manager([name])


def test_an_installed_package_takes_part(module: Module, installed: Callable[..., None]) -> None:
    installed(module("acme", "def pytest_persona_judges():\n    return {'acme': len}\n"))
    assert "acme" in judges(console_manager().hook)


def test_a_package_that_cannot_be_loaded_is_named(installed: Callable[..., None]) -> None:
    installed("no_such_module_of_acme")
    with pytest.raises(PersonaError, match=r"acme-traits: its plugin no_such_module_of_acme cannot be loaded: "):
        console_manager()


def test_packages_can_be_registered_with_any_manager(module: Module, installed: Callable[..., None]) -> None:
    name = module("acme", "def pytest_persona_judges():\n    return {'acme': len}\n")
    installed(name)
    manager = pluggy.PluginManager("pytest")
    register_installed(manager)
    register_installed(manager)
    assert plugins_of(manager) == [name]
