"""A client of the plain WebSocket. Connects to the URL in its argument, sends each line of stdin as a frame, prints
each received frame, and finally the close code. Needs the package websockets (Debian: python3-websockets).
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
