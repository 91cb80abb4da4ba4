"""What a service reads is what stands in etcd, as a file would have given it."""

from pathlib import Path

import pytest
from _gateway import Gateway
from _service import Service
from oslo_config import cfg


def test_each_type_is_converted_as_oslo_config_does(gateway: Gateway, service: Service) -> None:
    written = {
        "text": "words",
        "number": "7",
        "switch": "yes",
        "share": "0.5",
        "names": "a, b",
        "pairs": "a:1,b:2",
        "port": "8778",
        "kind": "two",
    }
    gateway.keys = {f"/service/group/{name}": value for name, value in written.items()}
    group = service(endpoints=gateway.url).group
    assert (group.text, group.number, group.switch, group.share) == ("words", 7, True, 0.5)
    assert (group.names, group.pairs) == (["a", "b"], {"a": "1", "b": "2"})
    assert (group.port, group.kind) == (8778, "two")


def test_what_is_not_in_etcd_has_its_default(gateway: Gateway, service: Service) -> None:
    gateway.keys = {"/service/DEFAULT/top": "set"}
    conf = service(endpoints=gateway.url)
    assert (conf.top, conf.group.text, conf.group.share) == ("set", "default", None)


def test_text_may_be_of_any_language_and_length(gateway: Gateway, service: Service) -> None:
    long = "Grüße, 世界 🙂\n  a second line\n" + "x" * 100_000
    gateway.keys = {"/service/group/text": long, "/service/group/key": "one line\n"}
    group = service(endpoints=gateway.url).group
    assert group.text == long
    # etcdctl put KEY < FILE
    assert group.key == "one line"


def test_options_that_may_be_repeated_take_a_value_a_line(
    gateway: Gateway, service: Service
) -> None:
    gateway.keys = {
        "/service/group/lines": "first\n\nsecond = 2\n",
        "/service/group/numbers": "1\n2",
    }
    group = service(endpoints=gateway.url).group
    assert group.lines == ["first", "second = 2"]
    assert group.numbers == [1, 2]


@pytest.mark.parametrize("key", ["with-dash", "with_dash"])
def test_a_dash_is_as_good_as_an_underscore(gateway: Gateway, service: Service, key: str) -> None:
    gateway.keys = {f"/service/group/{key}": "here"}
    assert service(endpoints=gateway.url).group.with_dash == "here"


@pytest.mark.parametrize("key", ["group/new", "before/old-name", "before/old_name"])
def test_an_option_s_former_names_are_read(gateway: Gateway, service: Service, key: str) -> None:
    gateway.keys = {f"/service/{key}": "here"}
    assert service(endpoints=gateway.url).group.new == "here"


def test_references_to_other_options_are_resolved(gateway: Gateway, service: Service) -> None:
    gateway.keys = {
        "/service/group/reference": "${text}!",
        "/service/group/text": "etcd",
        "/service/group/number": "$port",
        "/service/group/port": "80",
    }
    group = service(endpoints=gateway.url).group
    assert (group.reference, group.number) == ("etcd!", 80)


def test_neighbours_of_the_prefix_are_not_read(gateway: Gateway, service: Service) -> None:
    gateway.keys = {
        "/service/group/text": "mine",
        "/service2/group/number": "2",
        "/service/group/number/deep": "3",
        "/service/lone": "4",
        "/group/number": "5",
    }
    group = service(endpoints=gateway.url, prefix="/service/").group
    assert (group.text, group.number) == ("mine", 1)


def test_a_prefix_may_be_of_any_language(gateway: Gateway, service: Service) -> None:
    gateway.keys = {"/dienst-ä/group/text": "ü"}
    assert service(endpoints=gateway.url, prefix="/dienst-ä").group.text == "ü"


def test_environment_and_files_count_more(
    gateway: Gateway, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.keys = {f"/service/group/{name}": "etcd" for name in ("text", "key", "reference")}
    monkeypatch.setenv("OS_GROUP__TEXT", "environment")
    group = service(endpoints=gateway.url, _file="[group]\nkey = file").group
    assert (group.text, group.key, group.reference) == ("environment", "file", "etcd")


def test_the_source_needs_no_file(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.keys = {"/service/DEFAULT/top": "etcd"}
    for name, value in (
        ("OS_DEFAULT__CONFIG_SOURCE", "settings"),
        ("OS_SETTINGS__DRIVER", "etcd"),
        ("OS_SETTINGS__ENDPOINTS", gateway.url),
        ("OS_SETTINGS__PREFIX", "/service"),
    ):
        monkeypatch.setenv(name, value)
    conf = cfg.ConfigOpts()
    conf.register_opt(cfg.StrOpt("top"))
    conf([], project="service", default_config_files=[])
    assert conf.top == "etcd"


def test_a_value_knows_where_it_comes_from(gateway: Gateway, service: Service) -> None:
    gateway.keys = {"/service/group/text": "x"}
    location = service(endpoints=gateway.url).get_location("text", "group")
    assert location is not None
    assert location.location == cfg.Locations.user
    assert location.detail == f"{gateway.url} /service/group/text"


def test_etcd_is_asked_once_for_all(gateway: Gateway, service: Service, tmp_path: Path) -> None:
    gateway.keys = {"/service/group/text": "x", "/service/group/number": "2"}
    gateway.users = {"reader": "secret"}
    (tmp_path / "password").write_text("secret\n")
    conf = service(endpoints=gateway.url, user="reader", password_file=tmp_path / "password")
    assert (conf.group.text, conf.group.number) == ("x", 2)
    assert gateway.requests == ["/v3/auth/authenticate", "/v3/kv/range"]


def test_the_driver_lists_its_options() -> None:
    from oslo_config_source_etcd.driver import EtcdConfigurationSourceDriver

    names = {option.name for option in EtcdConfigurationSourceDriver().list_options_for_discovery()}
    assert names >= {"endpoints", "prefix", "user", "password", "password_file", "ca_file"}
