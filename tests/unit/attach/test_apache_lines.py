"""The lines for a cloud's Apache."""

from pathlib import Path

import pytest

from harness.attach import apache_lines
from harness.core.errors import UsageError

KOLLA = """\
<VirtualHost *:8778>
  # ProxyPass "/placement" "http://old/"
  ProxyPass /placement uwsgi://10.0.0.1:8000/ retry=0
  ProxyPass "/placement-docs" "http://docs/"
</VirtualHost>
"""


def test_without_a_file_it_is_devstacks_line() -> None:
    assert apache_lines.former(None).startswith('ProxyPass "/placement" "unix:/var/run/uwsgi/')


def test_the_line_of_a_file_is_found(tmp_path: Path) -> None:
    path = tmp_path / "site.conf"
    path.write_text(KOLLA)
    assert apache_lines.former(path) == "ProxyPass /placement uwsgi://10.0.0.1:8000/ retry=0"


@pytest.mark.parametrize("text", ["", '# ProxyPass "/placement" "x"', 'ProxyPass "/nova" "x"'])
def test_a_file_without_it_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "site.conf"
    path.write_text(text)
    with pytest.raises(UsageError, match="has no ProxyPass line for /placement"):
        apache_lines.former(path)
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        apache_lines.former(tmp_path / "none.conf")


def test_every_replica_is_a_member() -> None:
    text = apache_lines.balancer("one", ["a:1", "b:2"])
    assert text.splitlines()[:2] == [
        '<Proxy "balancer://one">',
        '    BalancerMember "uwsgi://a:1" route=1 retry=0 addressttl=1 connectiontimeout=3',
    ]
    assert '"uwsgi://b:2" route=2 ' in text
    assert text.endswith('ProxyPass "/placement" "balancer://one"')
