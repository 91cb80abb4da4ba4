"""A CA and a server's certificate for 127.0.0.1 and etcd, made by openssl."""

import subprocess
from pathlib import Path

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


def openssl(*words: str, cwd: Path) -> None:
    subprocess.run(["openssl", *words], cwd=cwd, check=True, timeout=60, capture_output=True)


def certificates(folder: Path) -> Path:
    """ca.pem, server.pem and server-key.pem in a folder of their own."""
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
    # etcd is another user in its container; the folder is for its owner alone.
    (folder / "server-key.pem").chmod(0o644)
    folder.chmod(0o755)
    return folder
