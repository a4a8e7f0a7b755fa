"""What headquarters signed about a log, shown to the auditor from the ledger in pages (audit/testimony_pages.py)."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from provisioning.audit.testimony_pages import COSIGNED, ITEMS_A_PAGE, RECEIPTS, encode_page
from provisioning.collector.ledger import Ledger
from provisioning.collector.logs import FOLDER

PAGES_MAX: Final = 2**31
"""Of one kind and log: what SQLite's offset takes, and more than a log can have."""


def testimony_routes(ledger: Ledger) -> list[Route]:
    """`GET /log/{origin}/cosigned/{n}` and `.../receipts/{n}`; an empty page is not there (404)."""

    def answer(request: Request) -> Response:
        kind = request.url.path.split("/")[-2]
        n: int = request.path_params["n"]
        if n >= PAGES_MAX:
            raise HTTPException(404, "no such page")
        origin = f"{request.path_params['domain']}/{request.path_params['log']}"
        read = ledger.cosigned if kind == COSIGNED else ledger.receipts
        items = read(origin, first=n * ITEMS_A_PAGE[kind], count=ITEMS_A_PAGE[kind])
        if not items:
            raise HTTPException(404, "no such page")
        return Response(encode_page(items), media_type="application/octet-stream")

    return [
        Route(f"/{FOLDER}/{{domain}}/{{log}}/{kind}/{{n:int}}", answer, methods=["GET"])
        for kind in (COSIGNED, RECEIPTS)
    ]
