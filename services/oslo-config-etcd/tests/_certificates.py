"""A CA, a server's certificate for 127.0.0.1 and etcd, and a client's, made by openssl."""

import subprocess
from pathlib import Path

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def openssl(*words: str, cwd: Path) -> None:
    subprocess.run(["openssl", *words], cwd=cwd, check=True, timeout=60, capture_output=True)


def certificates(folder: Path) -> Path:
    """ca.pem, and server.pem and client.pem with their keys, in a folder of their own."""
    folder.mkdir()
    ca = [*KEY, "-subj", "/CN=ca", "-keyout", "ca-key.pem", "-out", "ca.pem"]
    openssl(
        "req", "-x509", *ca, "-days", "30", "-addext", "keyUsage=critical,keyCertSign", cwd=folder
    )
    server = [*KEY, "-subj", "/CN=etcd", "-keyout", "server-key.pem", "-out", "request.pem"]
    openssl("req", *server, cwd=folder)
    (folder / "names").write_text("subjectAltName=DNS:etcd,DNS:localhost,IP:127.0.0.1\n")
    sign = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-days", "30", "-extfile", "names"]
    openssl("x509", "-req", "-in", "request.pem", *sign, "-out", "server.pem", cwd=folder)
    # Its gateway, with authentication, refuses one that has a common name.
    client = [*KEY, "-subj", "/O=client", "-keyout", "client-key.pem", "-out", "request.pem"]
    openssl("req", *client, cwd=folder)
    openssl("x509", "-req", "-in", "request.pem", *sign[:-2], "-out", "client.pem", cwd=folder)
    # etcd is another user in its container; the folder is for its owner alone.
    for key in ("server-key.pem", "client-key.pem"):
        (folder / key).chmod(0o644)
    folder.chmod(0o755)
    return folder
