"""python-socketio's server as its documentation writes it, on aiohttp."""
import sys

import socketio
from aiohttp import web

sio = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins="*")
app = web.Application()
sio.attach(app)


@sio.event
async def join(sid, data):
    sio.enter_room(sid, data["room"])
    await sio.emit("peer-joined", {"id": sid, "name": data["name"]}, room=data["room"], skip_sid=sid)


@sio.event
async def signal(sid, data):
    message = {"from": sid, "type": data["type"], "data": data["data"]}
    await sio.emit("signal", message, room=data["to"])


web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), backlog=4096, print=None)
