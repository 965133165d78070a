//! The str0m half of the interop tests: the verbs of ../contract.ts that ../trials.ts asks for, in JSON lines over stdin and
//! stdout.
//!
//! ```text
//! → {"id": 7, "method": "send", "args": ["a", "chat", {"text": "hello"}]}
//! ← {"id": 7, "result": null}    or    {"id": 7, "error": "waited 20 s for …"}
//! ```
//!
//! The first line out is `{"ready": "<who this is>"}`. Each peer has a thread and a socket of its own. The process ends when
//! its stdin does.

use std::collections::{HashMap, VecDeque};
use std::error::Error;
use std::io::{stdin, ErrorKind};
use std::net::UdpSocket;
use std::sync::mpsc::{channel, Receiver, Sender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{from_str, json, Value};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId, Reliability};
use str0m::crypto::from_feature_flags;
use str0m::net::{Protocol, Receive};
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at what has been asked; `set_read_timeout` takes no zero.
const TICK: Duration = Duration::from_millis(2);

type Failure = Box<dyn Error>;

struct Request {
    id: u64,
    method: String,
    args: Vec<Value>,
    since: Instant,
}

impl Request {
    fn parse(line: &str) -> Result<Request, Failure> {
        let asked: Value = from_str(line)?;
        Ok(Request {
            id: asked["id"].as_u64().ok_or("a request without an id")?,
            method: asked["method"].as_str().unwrap_or_default().into(),
            args: asked["args"].as_array().cloned().unwrap_or_default(),
            since: Instant::now(),
        })
    }

    fn text(&self, index: usize) -> Result<&str, Failure> {
        let text = self.args.get(index).and_then(Value::as_str);
        text.ok_or_else(|| format!("{} without its argument {index}", self.method).into())
    }

    fn say(&self, outcome: Result<Value, Failure>) {
        match outcome {
            Ok(result) => println!("{}", json!({ "id": self.id, "result": result })),
            Err(error) => println!("{}", json!({ "id": self.id, "error": error.to_string() })),
        }
    }
}

/// A channel and what it has said.
struct Line {
    id: ChannelId,
    is_open: bool,
    is_closed: bool,
    inbox: VecDeque<Value>,
}

struct Peer {
    rtc: Rtc,
    socket: UdpSocket,
    lines: HashMap<String, Line>,
    pending: Option<SdpPendingOffer>,
    description: String,
}

impl Peer {
    fn new() -> Result<Peer, Failure> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let mut rtc = RtcConfig::new().build(Instant::now());
        rtc.add_local_candidate(Candidate::host(socket.local_addr()?, "udp")?);
        Ok(Peer { rtc, socket, lines: HashMap::new(), pending: None, description: String::new() })
    }

    /// Carries datagrams, lets time pass, and answers what can be answered, until stdin ends or the peer is closed.
    fn run(&mut self, requests: &Receiver<Request>) -> Result<(), Failure> {
        let mut waiting: Vec<Request> = Vec::new();
        loop {
            match requests.try_recv() {
                Ok(request) => waiting.push(request),
                Err(TryRecvError::Empty) => {}
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
            waiting.retain(|request| !self.answer(request));
            let deadline = self.drain_output()?;
            self.take_input(deadline)?;
        }
    }

    /// Sends what is to be sent, notes what has happened; when to come back.
    fn drain_output(&mut self) -> Result<Instant, Failure> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(deadline) => return Ok(deadline),
                Output::Event(event) => self.note(event),
                // An address that loopback does not lead to: the next pair may.
                Output::Transmit(datagram) => {
                    let _ = self.socket.send_to(&datagram.contents, datagram.destination);
                }
            }
        }
    }

    fn take_input(&mut self, deadline: Instant) -> Result<(), Failure> {
        let wait = deadline.saturating_duration_since(Instant::now());
        self.socket.set_read_timeout(Some(wait.clamp(Duration::from_micros(1), TICK)))?;
        let mut buffer = [0; 2000];
        match self.socket.recv_from(&mut buffer) {
            Ok((length, source)) => {
                let destination = self.socket.local_addr()?;
                let Ok(contents) = buffer[..length].try_into() else { return Ok(()) };
                let received = Receive { proto: Protocol::Udp, source, destination, contents };
                self.rtc.handle_input(Input::Receive(Instant::now(), received))?;
            }
            Err(error) if [ErrorKind::WouldBlock, ErrorKind::TimedOut].contains(&error.kind()) => {
                self.rtc.handle_input(Input::Timeout(Instant::now()))?;
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::ChannelOpen(id, label) => {
                let line = self.lines.entry(label).or_insert_with(|| Line::new(id));
                line.is_open = true;
            }
            Event::ChannelData(said) => {
                if let Some(line) = self.line_of(said.id) {
                    line.inbox.push_back(wire(said.binary, said.data));
                }
            }
            Event::ChannelClose(id) => {
                if let Some(line) = self.line_of(id) {
                    line.is_closed = true;
                }
            }
            _ => {}
        }
    }

    fn line_of(&mut self, id: ChannelId) -> Option<&mut Line> {
        self.lines.values_mut().find(|line| line.id == id)
    }

    /// Whether the request is done with, and has its answer.
    fn answer(&mut self, request: &Request) -> bool {
        match self.serve(request) {
            Ok(Some(result)) => request.say(Ok(result)),
            Err(error) => request.say(Err(error)),
            Ok(None) if request.since.elapsed() < PATIENCE => return false,
            Ok(None) => request.say(Err(format!("waited 20 s for {}", request.method).into())),
        }
        true
    }

    /// Carries out one verb of the contract; `None` while it has to wait.
    fn serve(&mut self, request: &Request) -> Result<Option<Value>, Failure> {
        match request.method.as_str() {
            "offer" => self.offer(request.args.get(1).and_then(Value::as_array)).map(Some),
            "answer" => {
                let offer = SdpOffer::from_sdp_string(request.text(1)?)?;
                self.description = self.rtc.sdp_api().accept_offer(offer)?.to_sdp_string();
                Ok(Some(json!(self.description)))
            }
            "acceptAnswer" => {
                let answer = SdpAnswer::from_sdp_string(request.text(1)?)?;
                let pending = self.pending.take().ok_or("an answer without an offer")?;
                self.rtc.sdp_api().accept_answer(pending, answer)?;
                Ok(Some(Value::Null))
            }
            "completeDescription" => Ok(Some(json!(self.description))),
            "openChannel" => {
                let config = config(&request.args[1]);
                let label = config.label.clone();
                let id = self.rtc.direct_api().create_data_channel(config);
                self.lines.insert(label, Line::new(id));
                Ok(Some(Value::Null))
            }
            // str0m keeps version, suite and role to itself.
            "transport" => Ok(Some(json!({}))),
            "close" => {
                self.rtc.disconnect();
                Ok(Some(Value::Null))
            }
            _ => self.serve_channel(request),
        }
    }

    fn offer(&mut self, channels: Option<&Vec<Value>>) -> Result<Value, Failure> {
        let mut changes = self.rtc.sdp_api();
        for options in channels.into_iter().flatten() {
            let config = config(options);
            let label = config.label.clone();
            self.lines.insert(label, Line::new(changes.add_channel_with_config(config)));
        }
        let (offer, pending) = changes.apply().ok_or("nothing to offer")?;
        self.pending = Some(pending);
        self.description = offer.to_sdp_string();
        Ok(json!(self.description))
    }

    /// The verbs about a channel, all of which wait for it to open.
    fn serve_channel(&mut self, request: &Request) -> Result<Option<Value>, Failure> {
        let Some(line) = self.lines.get_mut(request.text(1)?).filter(|line| line.is_open) else {
            return Ok(None);
        };
        match request.method.as_str() {
            "opened" if line.is_closed => Err("the channel is closed, not open".into()),
            "opened" => Ok(Some(Value::Null)),
            "closed" => Ok(line.is_closed.then(|| json!(["close"]))),
            "receive" => Ok(line.inbox.pop_front()),
            "drain" => Ok(Some(line.inbox.drain(..).collect())),
            "closeChannel" => {
                self.rtc.direct_api().close_data_channel(line.id);
                Ok(Some(Value::Null))
            }
            "send" => {
                let (is_binary, bytes) = bytes(&request.args[2])?;
                let mut channel = self.rtc.channel(line.id).ok_or("the channel is gone")?;
                // It takes none while its buffer is full.
                Ok(channel.write(is_binary, &bytes)?.then_some(Value::Null))
            }
            method => Err(format!("no such method: {method}").into()),
        }
    }
}

impl Line {
    fn new(id: ChannelId) -> Line {
        Line { id, is_open: false, is_closed: false, inbox: VecDeque::new() }
    }
}

fn config(options: &Value) -> ChannelConfig {
    let number = |name: &str| options[name].as_u64().and_then(|value| u16::try_from(value).ok());
    let retransmits = number("maxRetransmits").map(|retransmits| Reliability::MaxRetransmits { retransmits });
    let lifetime = number("maxPacketLifeTime").map(|lifetime| Reliability::MaxPacketLifetime { lifetime });
    ChannelConfig {
        label: options["label"].as_str().unwrap_or_default().into(),
        ordered: options["ordered"].as_bool().unwrap_or(true),
        reliability: retransmits.or(lifetime).unwrap_or_default(),
        protocol: options["protocol"].as_str().unwrap_or_default().into(),
        negotiated: None,
    }
}

/// A `WireMessage`: of `binary`, each character is a byte.
fn wire(is_binary: bool, data: Vec<u8>) -> Value {
    if is_binary {
        return json!({ "binary": data.into_iter().map(char::from).collect::<String>() });
    }
    json!({ "text": String::from_utf8_lossy(&data) })
}

fn bytes(message: &Value) -> Result<(bool, Vec<u8>), Failure> {
    if let Some(text) = message["text"].as_str() {
        return Ok((false, text.into()));
    }
    let characters = message["binary"].as_str().ok_or("a message without text or bytes")?;
    Ok((true, characters.chars().map(|character| character as u8).collect()))
}

fn start() -> Sender<Request> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        if let Err(error) = Peer::new().and_then(|mut peer| peer.run(&receiver)) {
            eprintln!("a peer has ended: {error}");
        }
    });
    sender
}

fn main() -> Result<(), Failure> {
    from_feature_flags().install_process_default();
    println!("{}", json!({ "ready": "str0m 0.24.1" }));
    let mut peers: HashMap<String, Sender<Request>> = HashMap::new();
    for line in stdin().lines() {
        let request = Request::parse(&line?)?;
        let to = peers.entry(request.text(0)?.into()).or_insert_with(start);
        if let Err(unsent) = to.send(request) {
            unsent.0.say(Err("this peer has ended".into()));
        }
    }
    Ok(())
}
