"""The commands ``env`` and ``token``, which give other clients the stack's credentials."""

import os
import re
import shlex
from pathlib import Path

import click

from harness.cli.common import named, running

# Variables of an openrc file. Clients prefer them to clouds.yaml.
OTHER_CREDENTIALS = (
    *("OS_AUTH_TYPE", "OS_AUTH_URL", "OS_TOKEN", "OS_USERNAME", "OS_USER_ID", "OS_PASSWORD"),
    *("OS_USER_DOMAIN_NAME", "OS_USER_DOMAIN_ID", "OS_PROJECT_NAME", "OS_PROJECT_ID"),
    *("OS_PROJECT_DOMAIN_NAME", "OS_PROJECT_DOMAIN_ID", "OS_TENANT_NAME", "OS_TENANT_ID"),
    *("OS_SYSTEM_SCOPE", "OS_DOMAIN_NAME", "OS_DOMAIN_ID", "OS_REGION_NAME", "OS_INTERFACE"),
    *("OS_ENDPOINT_TYPE", "OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_NAME"),
    *("OS_APPLICATION_CREDENTIAL_SECRET", "OS_CACERT", "OS_INSECURE", "OS_CLOUD"),
    *("OS_CLIENT_CONFIG_FILE", "OS_DEFAULT_DOMAIN", "OS_TRUST_ID", "OS_CERT", "OS_KEY"),
)
# Other variables of the shell that clients read: an endpoint, a version, an identity provider.
MORE = re.compile(
    r"OS_\w*(?:AUTH|ENDPOINT|API_VERSION|DOMAIN|PROJECT|TENANT|USER|PASS|TOKEN|CERT|REGION|TRUST|"
    r"SCOPE|IDENTITY|SERVICE|INTERFACE|PROTOCOL|CLOUD)\w*"
)


@click.command()
@click.option(
    "--os", "plain", is_flag=True, help="OS_* variables, for clients that know no clouds.yaml."
)
@named
def env(plain: bool, name: str) -> None:
    """Print variables for OpenStack clients.

    The shell takes them with: eval "$(placement-harness env)"
    """
    stack = running(name)
    more = filter(MORE.fullmatch, os.environ)
    click.echo(f"unset {' '.join(dict.fromkeys((*OTHER_CREDENTIALS, *sorted(more))))}")
    if not plain:
        click.echo(f"export OS_CLIENT_CONFIG_FILE={shlex.quote(str(stack.state.clouds_file))}")
        click.echo(f"export OS_CLOUD={shlex.quote(name)}")
        return
    values = {
        "OS_AUTH_TYPE": "password",
        "OS_AUTH_URL": f"{stack.identity_url}/v3",
        "OS_IDENTITY_API_VERSION": "3",
        "OS_USERNAME": "admin",
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_NAME": "admin",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_REGION_NAME": "RegionOne",
        "OS_INTERFACE": "public",
    }
    for key, value in values.items():
        click.echo(f"export {key}={shlex.quote(value)}")
    click.echo(f'export OS_PASSWORD="{_password(stack.state.env_file)}"')


def _password(file: Path) -> str:
    """A shell command that reads the password: nothing that is printed holds it."""
    words = f"sed -n s/^HARNESS_ADMIN_PASSWORD=//p {shlex.quote(str(file))}"
    return f"$({words})"


@click.command()
@named
def token(name: str) -> None:
    """Print a token of the stack's admin."""
    click.echo(running(name).token())
