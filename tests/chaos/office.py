"""A mail server as a program: writes down each mail that it takes before it says so. It can be killed and started again on the same port."""

import asyncio
import os
import re
import sys
from email import policy
from email.parser import BytesParser
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

READ = BytesParser(policy=policy.default)
REFERENCE = re.compile(r"INC-\d{4}-\d+")


class Desk:
    """Keeps the incident and the Message-ID of every mail, one line each."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        mail = READ.parsebytes(bytes(envelope.original_content or b""), headersonly=True)
        found = REFERENCE.search(str(mail["Subject"]))
        for to in envelope.rcpt_tos:
            os.write(self.file, f"{found[0] if found else '-'} {to} {mail['Message-ID']}\n".encode())
        return "250 kept"


async def serve(port: int, path: str) -> None:
    desk: Any = Desk(path)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(desk, hostname="mail.harbour.example"), "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
