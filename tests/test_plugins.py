"""Finding plugins: each on its own, none able to harm the others."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import attrs
import pytest

from notify_core.errors import PluginError
from notify_core.hookspecs import hookimpl
from notify_core.message import Message, Sms
from notify_core.plugins import ENTRY_POINT_GROUP, Plugins
from notify_core.provider import Capabilities, ProviderType
from notify_core.testing import ScriptedProvider


@attrs.frozen(kw_only=True, repr=False, eq=False)
class Pager(Message):
    channel = "pager"
    address_kinds = ("pager",)


class PagerPlugin:
    @hookimpl
    def notify_message_types(self) -> Sequence[type[Message]]:
        return [Pager]


class AnotherSms:
    @hookimpl
    def notify_message_types(self) -> Sequence[type[Message]]:
        return [type("OtherSms", (Sms,), {})]


class ChattyPlugin:
    """Its message type has the ``repr`` that attrs makes."""

    @hookimpl
    def notify_message_types(self) -> Sequence[type[Message]]:
        return [attrs.frozen(kw_only=True)(type("Chatty", (Pager,), {"channel": "chatty"}))]


class PagerType:
    @hookimpl
    def notify_provider_types(self) -> Sequence[ProviderType]:
        return [
            ProviderType(
                name="pager",
                config_class=dict,
                capabilities=lambda _: Capabilities(channels=frozenset({"pager"})),
                factory=lambda _settings, _tools: ScriptedProvider(),
            )
        ]


class MisspeltHook:
    @hookimpl
    def notify_sned(self) -> None: ...


class WrongArgument:
    @hookimpl
    def notify_send(self, text: str) -> None: ...


def entry_point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=ENTRY_POINT_GROUP)


@pytest.fixture
def modules(tmp_path: Path) -> object:
    """A folder of plugin modules on the import path."""
    (tmp_path / "good_plugin_for_test.py").write_text(
        "from notify_core import hookimpl\n@hookimpl\ndef notify_before_send(attempt): pass\n"
    )
    (tmp_path / "broken_plugin_for_test.py").write_text("raise RuntimeError('no licence')\n")
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path.remove(str(tmp_path))
    for name in ("good_plugin_for_test", "broken_plugin_for_test"):
        sys.modules.pop(name, None)


def test_the_core_brings_its_message_types_through_the_hook() -> None:
    assert Plugins().message_types()["sms"] is Sms


def test_a_plugin_brings_a_channel() -> None:
    plugins = Plugins()

    plugins.register(PagerPlugin(), "pager")

    assert plugins.message_types()["pager"] is Pager


def test_what_is_no_message_type_is_not_taken_for_one() -> None:
    class Confused:
        @hookimpl
        def notify_message_types(self) -> Sequence[Any]:
            return [int]

    plugins = Plugins()
    plugins.register(Confused(), "confused")

    with pytest.raises(PluginError, match="is brought as a message type, but is none"):
        plugins.message_types()


def test_two_plugins_cannot_bring_one_channel() -> None:
    plugins = Plugins()
    plugins.register(AnotherSms(), "other")

    with pytest.raises(PluginError, match="'sms': two plugins bring this channel"):
        plugins.message_types()


def test_a_message_type_that_would_print_its_text_is_refused() -> None:
    plugins = Plugins()
    plugins.register(ChattyPlugin(), "chatty")

    with pytest.raises(PluginError, match="'chatty': the repr of its message type would show"):
        plugins.message_types()


def test_two_plugins_cannot_bring_one_provider_type() -> None:
    plugins = Plugins()
    plugins.register(PagerType(), "one")
    plugins.register(PagerType(), "two")

    with pytest.raises(PluginError, match="'pager': two plugins bring this provider type"):
        plugins.provider_types()


def test_a_misspelt_hook_is_refused_when_the_plugin_is_registered() -> None:
    plugins = Plugins()

    with pytest.raises(PluginError, match="unknown hook 'notify_sned'"):
        plugins.register(MisspeltHook(), "misspelt")

    assert not plugins.manager.has_plugin("misspelt")


def test_a_hook_with_an_argument_that_it_does_not_have_is_refused() -> None:
    with pytest.raises(PluginError, match="'text'"):
        Plugins().register(WrongArgument(), "wrong")


def test_a_plugin_that_was_refused_leaves_room_for_the_next() -> None:
    plugins = Plugins()
    with pytest.raises(PluginError):
        plugins.register(MisspeltHook(), "pager")

    plugins.register(PagerPlugin(), "pager")

    assert "pager" in plugins.message_types()


def test_a_name_is_given_once() -> None:
    plugins = Plugins()
    plugins.register(PagerPlugin(), "pager")

    with pytest.raises(PluginError, match="registered already"):
        plugins.register(PagerType(), "pager")


@pytest.mark.usefixtures("modules")
def test_an_entry_point_that_fails_to_import_does_not_take_the_others_along() -> None:
    plugins = Plugins.from_entry_points(
        [
            entry_point("broken", "broken_plugin_for_test"),
            entry_point("good", "good_plugin_for_test"),
        ]
    )

    assert plugins.manager.has_plugin("good")
    assert [str(failure) for failure in plugins.failures] == [
        "plugin 'broken': cannot be imported: RuntimeError('no licence')"
    ]


@pytest.mark.usefixtures("modules")
def test_two_entry_points_of_one_name_are_both_refused() -> None:
    plugins = Plugins.from_entry_points(
        [entry_point("same", "good_plugin_for_test"), entry_point("same", "broken_plugin_for_test")]
    )

    assert not plugins.manager.has_plugin("same")
    assert len(plugins.failures) == 2
    assert "two plugins have this name" in str(plugins.failures[0])


@pytest.mark.usefixtures("modules")
def test_an_entry_point_that_is_seen_twice_is_loaded_once() -> None:
    point = entry_point("good", "good_plugin_for_test")

    plugins = Plugins.from_entry_points([point, point])

    assert plugins.manager.has_plugin("good")
    assert plugins.failures == []


@pytest.mark.usefixtures("modules")
def test_a_one_file_plugin_is_loaded_by_its_dotted_path() -> None:
    plugins = Plugins()

    plugins.load("good_plugin_for_test")
    plugins.load("good_plugin_for_test")

    assert plugins.manager.has_plugin("good_plugin_for_test")


@pytest.mark.usefixtures("modules")
def test_a_dotted_path_of_an_installed_plugin_is_that_plugin() -> None:
    plugins = Plugins.from_entry_points([entry_point("good", "good_plugin_for_test")])

    plugins.load("good_plugin_for_test")

    assert [name for name, _ in plugins.manager.list_name_plugin()] == ["core", "good"]


@pytest.mark.parametrize("path", ["no_such_module_for_test", "broken_plugin_for_test"])
@pytest.mark.usefixtures("modules")
def test_a_dotted_path_that_cannot_be_imported_is_an_error(path: str) -> None:
    with pytest.raises(PluginError, match=f"'{path}': cannot be imported"):
        Plugins().load(path)
