"""A plain client: connects to the URL it is given, sends each line of its input as a frame, prints each frame it gets,
and at last the code it was closed with. Needs the package websockets (Debian: python3-websockets).
"""

import asyncio
import sys

import websockets


async def send_lines(socket):
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await socket.send(line.rstrip("\n"))
    await socket.close()


async def main(url):
    async with websockets.connect(url) as socket:
        sender = asyncio.create_task(send_lines(socket))
        try:
            while True:
                print(await socket.recv(), flush=True)
        except websockets.ConnectionClosed:
            print("closed", socket.close_code, flush=True)
        sender.cancel()


asyncio.run(main(sys.argv[1]))
