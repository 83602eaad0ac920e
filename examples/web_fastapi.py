"""A WebSocket server on FastAPI and uvicorn that is loadable by one line.

    python examples/web_fastapi.py 8080
    midflight load examples/web_answers.py

Needs fastapi, uvicorn and websockets.
"""

import sys

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

import midflight

midflight.serve_in_background()  # the one line: before the program's own modules, so that their texts are known

import web_answers  # noqa: E402

app = FastAPI()


@app.websocket("/talk")
async def talk(socket: WebSocket):
    """Answer one client. The dotted call reaches the current version, however long the client has been here."""
    await socket.accept()
    try:
        while True:
            text = (
                await socket.receive_text()
            )  # on a line of its own: the name to the left of an await is read before it
            await socket.send_text(web_answers.answer(text))
    except WebSocketDisconnect:
        pass


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]))
