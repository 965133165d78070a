"""The aiortc half of the interop tests: ../contract.ts spoken in JSON lines over stdin and stdout.

    → {"id": 7, "method": "send", "args": ["a", "chat", {"text": "hello"}]}
    ← {"id": 7, "result": null}    or    {"id": 7, "error": "waited 20 s for …"}

The first line out is {"ready": "<who this is>"}. Requests run side by side; each wait is bounded and says what it waited
for. The process ends when its stdin does.
"""

import asyncio
import hashlib
import json
import os
import sys

import aioice.ice
import aiortc
import aiortc.codecs
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from aiortc.sdp import candidate_from_sdp
from av import VideoFrame
from OpenSSL import SSL

PATIENCE = 20
HIGH_WATER = 1024 * 1024
LOW_WATER = 256 * 1024
CHUNK = 64 * 1024
IS_MODERN = "--rfc8841" in sys.argv

# Loopback alone, which aioice leaves out: the tests then need no network.
aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]

# In its offers an id of a header extension means one thing in audio and another in video, which RFC 8843 §9.1 forbids in one
# bundle: browsers refuse such an offer, and so does the library.
if "--as-it-is" not in sys.argv:
    for extension in aiortc.codecs.HEADER_EXTENSIONS["video"][1:]:
        extension.id += 10


async def until(what, look):
    """Polls: one way to wait that is always right."""
    loop = asyncio.get_event_loop()
    start = loop.time()
    while True:
        found = look()
        if found is not None:
            return found
        if loop.time() - start > PATIENCE:
            raise TimeoutError(f"waited {PATIENCE} s for {what}")
        await asyncio.sleep(0.004)


def wire(data):
    return {"text": data} if isinstance(data, str) else {"binary": data.decode("latin-1")}


class Line:
    """A channel, and what it has said."""

    def __init__(self, channel):
        self.channel = channel
        self.inbox = []
        self.log = []
        channel.on("message", self.inbox.append)
        channel.on("close", lambda: self.log.append("close"))


class Stripes(VideoStreamTrack):
    """A picture that moves, of every third frame's time: an encoder in Python's process is to keep up."""

    WIDTH = 320
    HEIGHT = 240

    def __init__(self):
        super().__init__()
        self.count = 0

    async def recv(self):
        for _ in range(3):
            pts, time_base = await self.next_timestamp()
        frame = VideoFrame(width=self.WIDTH, height=self.HEIGHT, format="yuv420p")
        self.count += 1
        for plane in frame.planes:
            row = bytes((x * 3 + self.count * 5) & 0xFF for x in range(plane.line_size))
            plane.update(row * plane.height)
        frame.pts = pts
        frame.time_base = time_base
        return frame


class Peer:
    def __init__(self):
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        # By default its offers are of before RFC 8841 ("m=application 9 DTLS/SCTP 5000" with a=sctpmap). Answers it
        # writes as the offer was written.
        self.connection._sctpLegacySdp = not IS_MODERN
        self.lines = {}
        self.connection.on("datachannel", self.watch)
        self.played = {"audio": 0, "video": 0}
        self.problems = []
        self.players = set()
        self.connection.on("track", self.play)

    def play(self, track):
        player = asyncio.ensure_future(self.consume(track))
        self.players.add(player)
        player.add_done_callback(self.players.discard)

    async def consume(self, track):
        """Counts what has been decoded, and looks whether it is what `Stripes` shows."""
        while True:
            try:
                frame = await track.recv()
            except MediaStreamError:
                return
            self.played[track.kind] += 1
            if track.kind == "video" and (frame.width, frame.height) != (Stripes.WIDTH, Stripes.HEIGHT):
                self.problems.append(f"a picture of {frame.width}x{frame.height}")

    def watch(self, channel):
        self.lines[channel.label] = Line(channel)

    def create(self, label, **options):
        self.watch(self.connection.createDataChannel(label, **options))

    async def line(self, label):
        line = await until(f'the channel "{label}"', lambda: self.lines.get(label))
        await until(
            f'the channel "{label}" to open',
            lambda: None if line.channel.readyState == "connecting" else True,
        )
        return line


class Commands:
    """One method a verb of the contract."""

    def __init__(self):
        self.peers = {}

    def peer(self, name):
        if name not in self.peers:
            self.peers[name] = Peer()
        return self.peers[name]

    async def offer(self, name, channels):
        peer = self.peer(name)
        for options in channels:
            peer.create(**options)
        await peer.connection.setLocalDescription(await peer.connection.createOffer())
        return peer.connection.localDescription.sdp

    async def answer(self, name, sdp):
        connection = self.peer(name).connection
        await connection.setRemoteDescription(RTCSessionDescription(sdp, "offer"))
        await connection.setLocalDescription(await connection.createAnswer())
        return connection.localDescription.sdp

    async def acceptAnswer(self, name, sdp):
        await self.peer(name).connection.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    async def completeDescription(self, name):
        # setLocalDescription has waited for the candidates.
        return self.peer(name).connection.localDescription.sdp

    async def addCandidate(self, name, candidate):
        parsed = candidate_from_sdp(candidate.removeprefix("candidate:"))
        parsed.sdpMLineIndex = 0
        await self.peer(name).connection.addIceCandidate(parsed)

    async def openChannel(self, name, options):
        self.peer(name).create(**options)

    async def opened(self, name, label):
        channel = (await self.peer(name).line(label)).channel
        if channel.readyState != "open":
            raise ValueError(f'the channel "{label}" is {channel.readyState}, not open')

    async def closed(self, name, label):
        line = await self.peer(name).line(label)
        return await until(
            f'the channel "{label}" to close', lambda: line.log if "close" in line.log else None
        )

    async def describe(self, name, label):
        channel = (await self.peer(name).line(label)).channel
        keys = ("id", "ordered", "maxRetransmits", "maxPacketLifeTime", "protocol", "negotiated")
        return {key: getattr(channel, key) for key in keys}

    async def send(self, name, label, message):
        channel = (await self.peer(name).line(label)).channel
        channel.send(message["text"] if "text" in message else message["binary"].encode("latin-1"))

    async def receive(self, name, label):
        inbox = (await self.peer(name).line(label)).inbox
        await until(f'a message on "{label}"', lambda: inbox or None)
        return wire(inbox.pop(0))

    async def drain(self, name, label):
        inbox = (await self.peer(name).line(label)).inbox
        messages = [wire(data) for data in inbox]
        inbox.clear()
        return messages

    async def sendBulk(self, name, label, size):
        channel = (await self.peer(name).line(label)).channel
        digest = hashlib.sha256()
        waits = 0
        for at in range(0, size, CHUNK):
            chunk = os.urandom(min(CHUNK, size - at))
            if channel.bufferedAmount + len(chunk) > HIGH_WATER:
                waits += 1
                await until(f'room in "{label}"', lambda: channel.bufferedAmount <= LOW_WATER or None)
            channel.send(chunk)
            digest.update(chunk)
        return {"sha256": digest.hexdigest(), "waits": waits}

    async def receiveBulk(self, name, label, size):
        inbox = (await self.peer(name).line(label)).inbox
        digest = hashlib.sha256()
        at = 0
        while at < size:
            await until(f'byte {at} of {size} on "{label}"', lambda: inbox or None)
            part = inbox.pop(0)
            digest.update(part)
            at += len(part)
        return digest.hexdigest()

    async def publish(self, name):
        for track in (AudioStreamTrack(), Stripes()):
            self.peer(name).connection.addTrack(track)

    async def watch(self, name):
        for kind in ("audio", "video"):
            self.peer(name).connection.addTransceiver(kind, direction="recvonly")

    async def played(self, name):
        peer = self.peer(name)
        return {**peer.played, "problems": peer.problems}

    async def closeChannel(self, name, label):
        (await self.peer(name).line(label)).channel.close()

    async def transport(self, name):
        transport = self.peer(name).connection.sctp.transport
        version = transport.ssl.get_protocol_version_name()
        return {
            "tlsVersion": {"DTLSv1.2": "FEFD"}.get(version, version),
            "dtlsCipher": transport.ssl.get_cipher_name(),
            "dtlsRole": transport._role,
        }

    async def close(self, name):
        await self.peer(name).connection.close()


async def serve(commands, request):
    reply = {"id": request["id"]}
    try:
        reply["result"] = await getattr(commands, request["method"])(*request["args"])
    except Exception as error:
        reply["error"] = f"{type(error).__name__}: {error}"
    say(reply)


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def main():
    loop = asyncio.get_event_loop()
    # A line holds a whole message, whose bytes JSON may write with six characters each.
    reader = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    commands = Commands()
    tasks = set()
    say({"ready": f"aiortc {aiortc.__version__}, {SSL.SSLeay_version(SSL.SSLEAY_VERSION).decode()}"})
    while line := await reader.readline():
        task = asyncio.ensure_future(serve(commands, json.loads(line)))
        tasks.add(task)
        task.add_done_callback(tasks.discard)


asyncio.run(main())
