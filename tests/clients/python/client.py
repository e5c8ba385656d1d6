"""A shopper with python-socketio, as its users write one: `client.py URL EMAIL PASSWORD TRANSPORTS CREDENTIAL`.

Logs in over HTTP, connects, says what it hears as lines of JSON, `["BUY_GOODS", {...}]`, and does what lines on its
standard input ask for: `["call", name, ...]` sends an event and says its acknowledgement, `["emit", name, ...]` only
sends it. Ends with its input. What it hears and is answered is held to the server's own document of its events; what is not as
that says is said on its standard error.
"""

import json
import sys
import threading

import requests
import socketio
from jsonschema import Draft202012Validator

url, email, password, transports, credential = sys.argv[1:]
lock = threading.Lock()


def hold(message, args):
    """Raises when a payload is not what the document says; several arguments are an array there."""
    if message in document["components"]["messages"]:
        schema = {**document, "$ref": f"#/components/messages/{message}/payload"}
        Draft202012Validator(schema).validate(args[0] if len(args) == 1 else list(args))


def say(*heard):
    if heard[0] not in ("connect", "disconnect", "ack"):
        hold(f"socketio.send.{heard[0]}", heard[1:])
    with lock:
        print(json.dumps(heard), flush=True)


http = requests.Session()
answer = http.post(f"{url}/api/auth", json={"email": email, "password": password})
answer.raise_for_status()
token = answer.json()["token"]
document = http.get(f"{url}/api/asyncapi.json").json()
if credential == "token":
    http.cookies.clear()

sio = socketio.Client(http_session=http, reconnection_delay=0.05, reconnection_delay_max=0.2, randomization_factor=0)


@sio.event
def connect():
    say("connect", sio.transport())


@sio.event
def disconnect(reason):
    say("disconnect", reason)


# Handlers of one parameter: an argument more than the contract says, and they raise.
@sio.on("BUY_GOODS")
def bought(alert):
    say("BUY_GOODS", alert)


@sio.event
def offset(value):
    say("offset", value)


@sio.on("SAME_PAGE_VIEWER_COUNT")
def viewers(count):
    say("SAME_PAGE_VIEWER_COUNT", count)


@sio.on("error")
def refused(refusal):
    say("error", refusal)


@sio.event
def welcome(nickname, count):
    say("welcome", nickname, count)


@sio.event
def bye(nickname, count):
    say("bye", nickname, count)


@sio.event
def new_message(text, count):
    say("new_message", text, count)


sio.connect(
    url,
    transports=transports.split(","),
    auth={"token": token} if credential == "token" else None,
)
for line in sys.stdin:
    how, name, *args = json.loads(line)
    payload = tuple(args) if len(args) > 1 else args[0] if args else None
    if how == "call":
        ack = sio.call(name, payload, timeout=10)
        hold(f"socketio.ack.{name}", [ack])
        say("ack", name, ack)
    else:
        sio.emit(name, payload)
sio.disconnect()
