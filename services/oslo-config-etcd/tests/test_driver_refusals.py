"""A service whose source cannot be used does not start, and says why, in one line."""

import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from _gateway import Gateway, serving
from _service import Service
from oslo_config import cfg

Refused = Callable[..., str]


@pytest.fixture
def refused(service: Service, capfd: pytest.CaptureFixture[str]) -> Refused:
    """What a service said that did not start."""

    def start(**source: object) -> str:
        with pytest.raises(SystemExit) as ended:
            service(**source)
        assert ended.value.code == 22
        *_, last = capfd.readouterr().err.splitlines()
        assert last.startswith("ERROR: configuration source settings: ")
        return last.partition("settings: ")[2]

    return start


def test_unreachable(refused: Refused) -> None:
    said = refused(endpoints="http://127.0.0.1:1", wait=0.3)
    assert said.startswith("http://127.0.0.1:1 cannot be reached: ")
    assert said.endswith(
        "refused. Waited 0.3 s. Start etcd, or correct "
        "`endpoints` (https:// where it has a certificate, else http://)."
    )


def test_a_host_without_an_address(refused: Refused) -> None:
    said = refused(endpoints="http://nowhere.invalid:2379")
    assert said.startswith("http://nowhere.invalid:2379 cannot be reached: ")


def test_empty(refused: Refused, gateway: Gateway) -> None:
    gateway.keys = {"/service2/group/text": "x"}
    assert refused(endpoints=gateway.url, wait=0.3) == (
        f"{gateway.url} has no key below /service/. Waited 0.3 s. "
        "Write the settings to /service/GROUP/OPTION, or correct `prefix`."
    )


def test_no_key_of_the_shape(refused: Refused, gateway: Gateway) -> None:
    gateway.keys = {"/service/group/text/more": "x", "/service/lone": "x"}
    assert refused(endpoints=gateway.url) == (
        "none of the 2 keys below /service/ is a /service/GROUP/OPTION. "
        "Correct `prefix`, or the keys."
    )


def test_a_wrong_password(refused: Refused, gateway: Gateway) -> None:
    gateway.users = {"reader": "right"}
    gateway.keys = {"/service/group/text": "x"}
    began = time.monotonic()
    said = refused(endpoints=gateway.url, user="reader", password="wrong-one", wait=60)
    assert said == (
        f"{gateway.url} refused the user reader: etcdserver: authentication failed, invalid user "
        "ID or password. Correct `user`, and `password` or `password_file`."
    )
    assert "wrong-one" not in said
    # Waiting would not help.
    assert time.monotonic() - began < 5


def test_no_user_where_one_is_needed(refused: Refused, gateway: Gateway) -> None:
    gateway.users = {"reader": "right"}
    said = refused(endpoints=gateway.url, wait=60)
    assert f"{gateway.url} refused nobody, for no `user` is set,: " in said


def test_a_prefix_that_the_user_may_not_read(refused: Refused, gateway: Gateway) -> None:
    gateway.users, gateway.readable = {"reader": "right"}, "/other/"
    said = refused(endpoints=gateway.url, user="reader", password="right", wait=60)
    assert said.startswith(
        f"{gateway.url} does not let the user reader read /service/: etcdserver: "
    )
    assert "etcdctl role grant-permission --prefix ROLE read /service/" in said


def test_authentication_that_is_not_switched_on(refused: Refused, gateway: Gateway) -> None:
    said = refused(endpoints=gateway.url, user="reader", password="right", wait=0.3)
    assert "authentication is not enabled. Waited 0.3 s. Switch it on" in said


@pytest.mark.parametrize(
    ("option", "value", "kind"),
    [
        ("number", "many", "an integer"),
        ("switch", "perhaps", "a boolean"),
        ("port", "70000", "a port"),
        ("kind", "three", "a string"),
        ("numbers", "1\ntwo", "an integer"),
    ],
)
def test_a_value_of_the_wrong_type(
    refused: Refused, gateway: Gateway, option: str, value: str, kind: str
) -> None:
    gateway.keys = {f"/service/group/{option}": value}
    said = refused(endpoints=gateway.url)
    assert said.startswith(f"the value of /service/group/{option} is not {kind}: ")
    assert said.endswith(f"Correct it: etcdctl put /service/group/{option}.")


def test_a_secret_of_the_wrong_type_is_not_shown(refused: Refused, gateway: Gateway) -> None:
    gateway.keys = {"/service/group/pin": "hunter2"}
    said = refused(endpoints=gateway.url)
    assert "is not an integer: not shown, for it is secret." in said
    assert "hunter2" not in said


def test_an_option_that_is_declared_late_ends_the_service_when_it_is_read(
    gateway: Gateway, service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    gateway.keys = {"/service/late/number": "many", "/service/late/$": "x"}
    conf = service(endpoints=gateway.url)
    conf.register_opt(cfg.IntOpt("number", default=1), "late")
    with pytest.raises(SystemExit):
        _ = conf.late.number
    assert "the value of /service/late/number is not an integer" in capfd.readouterr().err


def test_a_reference_to_a_value_of_the_wrong_type(
    gateway: Gateway, service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    gateway.keys = {"/service/group/number": "$text"}
    conf = service(endpoints=gateway.url)
    with pytest.raises(SystemExit):
        _ = conf.group.number
    assert "/service/group/number is not an integer" in capfd.readouterr().err


def test_a_value_that_is_no_text(refused: Refused, gateway: Gateway) -> None:
    gateway.keys = {"/service/group/text": b"\xff\xfe"}
    assert refused(endpoints=gateway.url) == "/service/group/text is not UTF-8. Write it as text."


def test_an_option_that_is_there_twice(refused: Refused, gateway: Gateway) -> None:
    gateway.keys = {"/service/group/with-dash": "1", "/service/group/with_dash": "2"}
    assert refused(endpoints=gateway.url).startswith("/service/group/with_dash is there twice")


def test_something_else_than_etcd(refused: Refused, gateway: Gateway) -> None:
    gateway.first = [(200, "<html>")]
    said = refused(endpoints=gateway.url)
    assert said.startswith(f"{gateway.url} does not answer as etcd does: ")
    gateway.first = [(404, "not found")]
    assert "answers Not Found: not found." in refused(endpoints=gateway.url)


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ({"prefix": None}, "no `prefix` is set. Set it in [settings]"),
        ({"prefix": "/"}, "no `prefix` is set."),
        ({"endpoints": "etcd:2379"}, "'etcd:2379' in `endpoints` is no URL of etcd's."),
        ({"endpoints": "http://etcd:x"}, "'http://etcd:x' in `endpoints` is no URL of etcd's."),
        ({"endpoints": ""}, "'' in `endpoints` is no URL of etcd's."),
        ({"user": "reader"}, "there is no password for the user reader."),
        ({"password": "x"}, "a password is set, and no user."),
        (
            {"user": "a", "password": "x", "password_file": "/y"},
            "`password` and `password_file` are both set.",
        ),
        (
            {"user": "a", "password_file": "/no/such"},
            "/no/such, which `password_file` names, cannot be read: No such file or directory.",
        ),
        ({"ca_file": "/no/such"}, "/no/such, which `ca_file` names, cannot be read: "),
        ({"wait": "soon"}, "could not be opened: ConfigFileValueError: "),
    ],
)
def test_options_of_the_source_that_make_no_sense(
    refused: Refused, source: dict[str, object], problem: str
) -> None:
    assert refused(**source).startswith(problem)


def _context(folder: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem", folder / "server-key.pem")
    return context


def test_tls_with_the_right_ca(service: Service, tls: Path) -> None:
    with serving(Gateway({"/service/group/text": "safe"}), _context(tls)) as gateway:
        conf = service(endpoints=gateway.url, ca_file=tls / "ca.pem")
    assert conf.group.text == "safe"


def test_tls_with_another_ca(
    refused: Refused, tls: Path, other_tls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # requests would take this one instead.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tls / "ca.pem"))
    with serving(Gateway({"/service/group/text": "x"}), _context(tls)) as gateway:
        for source in ({"ca_file": other_tls / "ca.pem"}, {}):
            said = refused(endpoints=gateway.url, wait=60, **source)
            assert said.startswith(f"the TLS connection to {gateway.url} failed: ")
            assert "certificate verify failed" in said
            assert "must hold the CA that signed etcd's certificate" in said


def test_tls_with_a_certificate_of_the_clients(
    service: Service, refused: Refused, tls: Path, tmp_path: Path
) -> None:
    context = _context(tls)
    context.load_verify_locations(tls / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    both = tmp_path / "both.pem"
    both.write_text((tls / "client.pem").read_text() + (tls / "client-key.pem").read_text())
    with serving(Gateway({"/service/group/text": "safe"}), context) as gateway:
        source = {"endpoints": gateway.url, "ca_file": tls / "ca.pem"}
        for own in ({"cert_file": both}, {"cert_file": tls / "client.pem"}):
            key = {"key_file": tls / "client-key.pem"} if own["cert_file"] != both else {}
            assert service(**source, **own, **key).group.text == "safe"
        said = refused(**source, cert_file=tls / "client.pem", key_file=tls / "server-key.pem")
        assert "`cert_file`" in said


def test_tls_with_something_else_than_a_ca(refused: Refused, tls: Path, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with serving(Gateway(), _context(tls)) as gateway:
        said = refused(endpoints=gateway.url, wait=5, ca_file=tmp_path / "ca.pem")
    assert "`ca_file`" in said


def test_https_where_there_is_no_tls(refused: Refused, gateway: Gateway) -> None:
    said = refused(endpoints=gateway.url.replace("http:", "https:"), wait=60)
    assert "`endpoints` must begin with http:// where etcd has no certificate" in said


def test_what_may_still_come_is_waited_for(
    gateway: Gateway, service: Service, capfd: pytest.CaptureFixture[str]
) -> None:
    gateway.first = [(503, "starting")]

    def come() -> None:
        time.sleep(0.5)
        gateway.users = {"reader": "right"}
        time.sleep(0.5)
        gateway.keys = {"/service/group/text": "x"}

    threading.Thread(target=come, daemon=True).start()
    conf = service(endpoints=gateway.url, user="reader", password="right", wait=30)
    assert conf.group.text == "x"
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(f"configuration source settings: {gateway.url} answers ")
    assert line.endswith("Trying for 30 s.")


def test_the_next_endpoint_is_taken_when_one_is_down(gateway: Gateway, service: Service) -> None:
    gateway.keys = {"/service/group/text": "x"}
    assert service(endpoints=f"http://127.0.0.1:1,{gateway.url}").group.text == "x"


def test_all_endpoints_are_named_when_none_answers(refused: Refused) -> None:
    said = refused(endpoints="http://127.0.0.1:1,http://127.0.0.1:2")
    assert "http://127.0.0.1:1 cannot be reached" in said
    assert "http://127.0.0.1:2 cannot be reached" in said


def test_an_etcd_that_is_slow_is_no_less_asked_for_having_no_time_to_wait(
    gateway: Gateway, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.keys = {"/service/group/text": "x"}
    at_once = gateway.reply

    def late(*request: object) -> tuple[int, str]:
        time.sleep(0.5)
        return at_once(*request)  # type: ignore[arg-type]

    monkeypatch.setattr(gateway, "reply", late)
    assert service(endpoints=gateway.url, wait=0).group.text == "x"
    with pytest.raises(SystemExit):
        service(endpoints=gateway.url, wait=0, timeout=0.2)
