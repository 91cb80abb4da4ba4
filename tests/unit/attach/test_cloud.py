"""The settings of an existing cloud: what is taken from where, and what is refused."""

from pathlib import Path

import pytest

from harness.attach import cloud
from harness.attach.cloud import FOLDER
from harness.core.errors import UsageError

CONF = """\
# A comment.
[DEFAULT]
debug = True
log_dir = /var/log/placement
[placement_database]
connection = mysql+pymysql://root:old@127.0.0.1/placement
connection = mysql+pymysql://root:s3cret%%40@127.0.0.1:3307/placement?charset=utf8
[keystone_authtoken]
auth-url = http://10.0.0.5/identity
memcached_servers = localhost:11211,
    other:11211
password: pa=ss:word$1
"""


@pytest.fixture
def conf(tmp_path: Path) -> Path:
    path = tmp_path / "placement.conf"
    path.write_text(CONF)
    return path


def test_a_file_is_read_as_oslo_config_reads_it(conf: Path) -> None:
    settings = cloud.read(conf, {}).settings
    assert settings == {
        "default/debug": "True",
        "placement_database/connection": (
            "mysql+pymysql://root:s3cret%%40@127.0.0.1:3307/placement?charset=utf8"
        ),
        "keystone_authtoken/auth_url": "http://10.0.0.5/identity",
        "keystone_authtoken/memcached_servers": "localhost:11211,\nother:11211",
        "keystone_authtoken/password": "pa=ss:word$1",
    }


def test_the_place_of_the_database_has_no_password(conf: Path) -> None:
    assert cloud.read(conf, {}).place == "placement at 127.0.0.1:3307, as root"
    assert "s3cret" not in repr(cloud.read(conf, {}))


def test_variables_count_more_than_the_file_and_options_more_than_both(conf: Path) -> None:
    variables = {"OS_KEYSTONE_AUTHTOKEN__AUTH_URL": "http://two", "OS_DEFAULT__DEBUG": "False"}
    given = cloud.read(conf, {**variables, "OS_CLOUD": "x"}, ["default/debug=maybe"]).settings
    assert given["keystone_authtoken/auth_url"] == "http://two"
    assert given["default/debug"] == "maybe"


def test_variables_alone_are_enough() -> None:
    given = cloud.read(
        None,
        {
            "OS_PLACEMENT_DATABASE__CONNECTION": "mysql+pymysql://a:b@c/d",
            "OS_KEYSTONE_AUTHTOKEN__AUTH_URL": "http://k",
        },
    )
    assert given.place == "d at c, as a"


def test_files_that_it_names_are_taken_along(conf: Path) -> None:
    (conf.parent / "policy.yaml").write_text("rule: '!'")
    (conf.parent / "bundle.pem").write_text("a certificate")
    given = cloud.read(conf, {}, [f"keystone_authtoken/cafile={conf.parent / 'bundle.pem'}"])
    assert given.files == {"policy.yaml": "rule: '!'", "ca.pem": "a certificate"}
    assert given.settings["oslo_policy/policy_file"] == f"{FOLDER}/policy.yaml"
    assert given.settings["keystone_authtoken/cafile"] == f"{FOLDER}/ca.pem"


@pytest.mark.parametrize(
    ("change", "problem", "remedy"),
    [
        (("connection", "#connection"), "has no connection in", "OS_PLACEMENT_DATABASE__CONN"),
        (("auth-url", "#auth-url"), "has no auth_url in [keystone_authtoken]", "--placement-conf"),
        (("[DEFAULT]", "DEFAULT"), "line 2, is not as placement.conf is", "/etc/placement"),
        (
            ("mysql+pymysql://root:s3cret%%40@127.0.0.1:3307/", "sqlite:///"),
            "names no",
            "all reach",
        ),
        (("127.0.0.1:3307", "127.0.0.1:s3cret"), "names no database server", "%40 for an @"),
        (("charset=utf8", "ssl_ca=/x"), "names files", "without"),
        (("[keystone_authtoken]", "[oslo_policy]\npolicy_dirs=/x"), "has no auth_url", "set"),
        (("debug", "[keystone_authtoken]\ncafile=/no/ca\n[DEFAULT]\ndebug"), "/no/ca", "readable"),
        (("debug", "[keystone_authtoken]\nkeyfile=/k\n[DEFAULT]\ndebug"), "names files", "copy"),
    ],
)
def test_what_cannot_be_meant_is_refused_without_a_password(
    conf: Path, change: tuple[str, str], problem: str, remedy: str
) -> None:
    conf.write_text(CONF.replace(*change))
    with pytest.raises(UsageError) as caught:
        cloud.read(conf, {})
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_not_there_and_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no.conf cannot be read: No such file"):
        cloud.read(tmp_path / "no.conf", {})
    with pytest.raises(UsageError, match="Without --placement-conf, there is no connection"):
        cloud.read(None, {})


@pytest.mark.parametrize(
    "name", ["keystone_authtoken/password", "placement_database/connection", "x/slave-connection"]
)
def test_a_secret_is_not_taken_from_the_command_line(conf: Path, name: str) -> None:
    with pytest.raises(UsageError, match="would show a secret") as caught:
        cloud.read(conf, {}, [f"{name}=word"])
    assert "OS_" in caught.value.remedy
    assert "word" not in caught.value.problem.removeprefix(f"--set {name}")


@pytest.mark.parametrize("written", ["a", "a=b", "a/=b", "/a=b"])
def test_an_option_of_another_form_is_refused(conf: Path, written: str) -> None:
    with pytest.raises(UsageError, match="makes no sense"):
        cloud.read(conf, {}, [written])
