"""The user's own ways out: a certificate bundle, a proxy."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiobotocore.credentials import AioCredentials
from botocore.exceptions import BotoCoreError, SSLError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from skysweep.clients import AwsSettings, Clients
from skysweep.outcomes import Tally
from skysweep.plan import Target
from wire import Wire, as_xml, wire

ONE = "111111111111"
NO_VPCS = as_xml("<DescribeVpcsResponse><vpcSet/></DescribeVpcsResponse>")


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")


async def ask(url: str) -> dict[str, object]:
    async with Clients(AwsSettings(endpoint_url=url), Tally()) as clients:
        clients.adopt(ONE, AioCredentials("AKIAONE", "secret", "token"))
        return await clients.send(Target(ONE, "eu-west-1"), "ec2", "DescribeVpcs", {}, timeout=30)


def certificate(folder: Path) -> Path:
    """A certificate of this machine that nobody has signed, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = folder / "certificate.pem"
    file.write_bytes(made.public_bytes(pem) + secret)
    return file


async def test_the_users_certificates_are_trusted_and_no_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(file)
    made = Wire()
    made.handler = lambda _: NO_VPCS
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    try:
        with pytest.raises(SSLError):
            await ask(url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(file))
        assert await ask(url) == {"Vpcs": []}
    finally:
        server.close()
        await made.close()
        await server.wait_closed()
    assert len(made.requests) == 1


async def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with wire() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        proxy.handler = lambda _: NO_VPCS
        assert await ask("http://aws.invalid") == {"Vpcs": []}
        assert proxy.requests[0].path.startswith("http://aws.invalid")
        proxy.handler = lambda _: as_xml("no way through", 503)
        with pytest.raises(BotoCoreError):
            await ask("https://aws.invalid")
    assert (proxy.requests[1].method, proxy.requests[1].path) == ("CONNECT", "aws.invalid:443")
