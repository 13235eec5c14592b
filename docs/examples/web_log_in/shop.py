"""A log-in page of a shop: texts a code to a phone, and lets in who knows it. Run it by ``uvicorn shop:app``."""

import os
import secrets
from html import escape
from typing import Annotated
from urllib.parse import parse_qs

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse

APPLICATION_ID = os.environ.get("PINPOINT_APPLICATION_ID", "shop")
BRAND = os.environ.get("OTP_BRAND", "Example Shop")
ORIGINATION = os.environ.get("OTP_ORIGINATION_IDENTITY", "+15550100999")

app = FastAPI()
pinpoint = boto3.client("pinpoint")


async def read_form(request: Request) -> dict[str, str]:
    """Read the fields of a form."""
    return {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}


Form = Annotated[dict[str, str], Depends(read_form)]


@app.get("/")
def ask_for_phone() -> HTMLResponse:
    """Show the first step: the phone."""
    return page("""<form method="post" action="/code">
        <label>Phone <input name="phone" type="tel" required></label> <button>Send code</button></form>""")


@app.post("/code")
def send_code(form: Form) -> HTMLResponse:
    """Text a code, and show the second step: the code."""
    phone, reference = form.get("phone", ""), secrets.token_hex(16)
    if not is_sent(phone, reference):
        return page("<p role='alert'>We could not text you a code. Please try again later.</p>", status_code=502)
    return page(f"""<form method="post" action="/log-in">
        <input name="phone" type="hidden" value="{escape(phone)}">
        <input name="reference" type="hidden" value="{reference}">
        <label>Code <input name="code" inputmode="numeric" autocomplete="one-time-code" required></label>
        <button>Log in</button></form>""")


@app.post("/log-in")
def log_in(form: Form) -> HTMLResponse:
    """Let in who knows the code."""
    parameters = {
        "DestinationIdentity": form.get("phone", ""),
        "ReferenceId": form.get("reference", ""),
        "Otp": form.get("code", ""),
    }
    try:
        answer = pinpoint.verify_otp_message(ApplicationId=APPLICATION_ID, VerifyOTPMessageRequestParameters=parameters)
    except (BotoCoreError, ClientError):
        return page("<p role='alert'>We could not check your code. Please ask for a new one.</p>", status_code=502)
    if not answer["VerificationResponse"]["Valid"]:
        return page("<p role='alert'>This code is not right.</p>", status_code=403)
    return page("<p>Welcome!</p>")


def is_sent(phone: str, reference: str) -> bool:
    """Text a code, and tell whether it is on its way."""
    parameters = {
        "Channel": "SMS",
        "BrandName": BRAND,
        "OriginationIdentity": ORIGINATION,
        "DestinationIdentity": phone,
        "ReferenceId": reference,
    }
    try:
        answer = pinpoint.send_otp_message(ApplicationId=APPLICATION_ID, SendOTPMessageRequestParameters=parameters)
    except (BotoCoreError, ClientError):
        return False
    return answer["MessageResponse"]["Result"][phone]["DeliveryStatus"] == "SUCCESSFUL"


def page(content: str, status_code: int = 200) -> HTMLResponse:
    """Put content into the shop's page."""
    html = f"<!doctype html><html lang='en'><title>Log in</title><h1>Log in</h1>{content}</html>"
    return HTMLResponse(html, status_code)
