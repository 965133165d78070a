// The pion half of the interop tests: ../contract.ts spoken in JSON lines over stdin and stdout.
//
//	→ {"id": 7, "method": "send", "args": ["a", "chat", {"text": "hello"}]}
//	← {"id": 7, "result": null}    or    {"id": 7, "error": "waited 20s for …"}
//
// The first line out is {"ready": "<who this is>"}. Requests run side by side; each wait is bounded and says what it
// waited for. The process ends when its stdin does.
package main

import (
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v3"
)

const (
	patience  = 20 * time.Second
	highWater = 1024 * 1024
	lowWater  = 256 * 1024
	chunkSize = 32 * 1024
)

// message is a WireMessage: of binary, each character is a byte.
type message struct {
	Text   *string `json:"text,omitempty"`
	Binary *string `json:"binary,omitempty"`
}

type channelOptions struct {
	Label             string  `json:"label"`
	Ordered           *bool   `json:"ordered"`
	MaxRetransmits    *uint16 `json:"maxRetransmits"`
	MaxPacketLifeTime *uint16 `json:"maxPacketLifeTime"`
	Protocol          *string `json:"protocol"`
	Negotiated        *bool   `json:"negotiated"`
	ID                *uint16 `json:"id"`
}

// line is a channel and what it has said; its mutex is the peer's.
type line struct {
	channel *webrtc.DataChannel
	inbox   []webrtc.DataChannelMessage
	log     []string
}

type peer struct {
	mutex      sync.Mutex
	connection *webrtc.PeerConnection
	gathered   <-chan struct{}
	lines      map[string]*line
	media      media
}

// loggers has pion complain on stderr: stdout, where it does by default, is for answers.
func loggers() logging.LoggerFactory {
	factory := logging.NewDefaultLoggerFactory()
	factory.Writer = os.Stderr
	return factory
}

func newPeer() (*peer, error) {
	engine := webrtc.SettingEngine{LoggerFactory: loggers()}
	// Loopback alone: the tests then need no network.
	engine.SetIncludeLoopbackCandidate(true)
	engine.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	engine.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	engine.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	// What it does by itself: NACK, reports, transport-wide feedback.
	codecs := &webrtc.MediaEngine{}
	interceptors := &interceptor.Registry{}
	interceptors.Add(&repairNames{})
	if err := codecs.RegisterDefaultCodecs(); err != nil {
		return nil, err
	}
	if err := webrtc.RegisterDefaultInterceptors(codecs, interceptors); err != nil {
		return nil, err
	}
	api := webrtc.NewAPI(webrtc.WithSettingEngine(engine), webrtc.WithMediaEngine(codecs), webrtc.WithInterceptorRegistry(interceptors))
	connection, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	made := &peer{connection: connection, lines: map[string]*line{}}
	connection.OnTrack(made.play)
	made.gathered = webrtc.GatheringCompletePromise(connection)
	connection.OnDataChannel(made.watch)
	return made, nil
}

func (p *peer) watch(channel *webrtc.DataChannel) {
	made := &line{channel: channel}
	channel.OnMessage(func(received webrtc.DataChannelMessage) {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		made.inbox = append(made.inbox, received)
	})
	channel.OnClose(func() {
		p.mutex.Lock()
		defer p.mutex.Unlock()
		made.log = append(made.log, "close")
	})
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.lines[channel.Label()] = made
}

func (p *peer) create(options channelOptions) error {
	channel, err := p.connection.CreateDataChannel(options.Label, &webrtc.DataChannelInit{
		Ordered: options.Ordered, MaxRetransmits: options.MaxRetransmits, MaxPacketLifeTime: options.MaxPacketLifeTime,
		Protocol: options.Protocol, Negotiated: options.Negotiated, ID: options.ID,
	})
	if err == nil {
		p.watch(channel)
	}
	return err
}

// until polls, under the peer's lock: one way to wait that is always right.
func (p *peer) until(what string, look func() bool) error {
	for start := time.Now(); time.Since(start) < patience; time.Sleep(2 * time.Millisecond) {
		p.mutex.Lock()
		found := look()
		p.mutex.Unlock()
		if found {
			return nil
		}
	}
	return fmt.Errorf("waited %v for %s", patience, what)
}

func (p *peer) line(label string) (*line, error) {
	var found *line
	err := p.until(fmt.Sprintf("the channel %q to open", label), func() bool {
		found = p.lines[label]
		return found != nil && found.channel.ReadyState() != webrtc.DataChannelStateConnecting
	})
	return found, err
}

func (p *peer) next(label string, what string) (webrtc.DataChannelMessage, error) {
	var received webrtc.DataChannelMessage
	from, err := p.line(label)
	if err != nil {
		return received, err
	}
	err = p.until(what, func() bool {
		if len(from.inbox) == 0 {
			return false
		}
		received, from.inbox = from.inbox[0], from.inbox[1:]
		return true
	})
	return received, err
}

func (p *peer) drain(label string) (any, error) {
	from, err := p.line(label)
	if err != nil {
		return nil, err
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	messages := []message{}
	for _, received := range from.inbox {
		messages = append(messages, wire(received))
	}
	from.inbox = nil
	return messages, nil
}

func (p *peer) set(kind webrtc.SDPType, sdp string) error {
	return p.connection.SetRemoteDescription(webrtc.SessionDescription{Type: kind, SDP: sdp})
}

func (p *peer) describe(label string) (any, error) {
	found, err := p.line(label)
	if err != nil {
		return nil, err
	}
	channel := found.channel
	return map[string]any{
		"id": channel.ID(), "ordered": channel.Ordered(), "maxRetransmits": channel.MaxRetransmits(),
		"maxPacketLifeTime": channel.MaxPacketLifeTime(), "protocol": channel.Protocol(), "negotiated": channel.Negotiated(),
	}, nil
}

func (p *peer) send(label string, data message) error {
	to, err := p.line(label)
	if err != nil {
		return err
	}
	if data.Text != nil {
		return to.channel.SendText(*data.Text)
	}
	return to.channel.Send(latin1(*data.Binary))
}

func (p *peer) sendBulk(label string, bytes int) (any, error) {
	to, err := p.line(label)
	if err != nil {
		return nil, err
	}
	digest := sha256.New()
	waits := 0
	for at := 0; at < bytes; at += chunkSize {
		chunk := make([]byte, min(chunkSize, bytes-at))
		if _, err := rand.Read(chunk); err != nil {
			return nil, err
		}
		if to.channel.BufferedAmount()+uint64(len(chunk)) > highWater {
			waits++
			room := func() bool { return to.channel.BufferedAmount() <= lowWater }
			if err := p.until(fmt.Sprintf("room in %q", label), room); err != nil {
				return nil, err
			}
		}
		if err := to.channel.Send(chunk); err != nil {
			return nil, err
		}
		digest.Write(chunk)
	}
	return map[string]any{"sha256": hex.EncodeToString(digest.Sum(nil)), "waits": waits}, nil
}

func (p *peer) receiveBulk(label string, bytes int) (any, error) {
	digest := sha256.New()
	for at := 0; at < bytes; {
		part, err := p.next(label, fmt.Sprintf("byte %d of %d on %q", at, bytes, label))
		if err != nil {
			return nil, err
		}
		digest.Write(part.Data)
		at += len(part.Data)
	}
	return hex.EncodeToString(digest.Sum(nil)), nil
}

func (p *peer) closed(label string) (any, error) {
	found, err := p.line(label)
	if err != nil {
		return nil, err
	}
	err = p.until(fmt.Sprintf("the channel %q to close", label), func() bool { return len(found.log) > 0 })
	return found.log, err
}

// local makes an offer or an answer ours; its text is still without candidates.
func (p *peer) local(description webrtc.SessionDescription, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return description.SDP, p.connection.SetLocalDescription(description)
}

// serve carries out one verb of the contract.
func (p *peer) serve(method string, args []json.RawMessage) (any, error) {
	switch method {
	case "offer":
		for _, options := range read[[]channelOptions](args, 1) {
			if err := p.create(options); err != nil {
				return nil, err
			}
		}
		return p.local(p.connection.CreateOffer(nil))
	case "answer":
		if err := p.set(webrtc.SDPTypeOffer, read[string](args, 1)); err != nil {
			return nil, err
		}
		return p.local(p.connection.CreateAnswer(nil))
	case "acceptAnswer":
		return nil, p.set(webrtc.SDPTypeAnswer, read[string](args, 1))
	case "completeDescription":
		<-p.gathered
		return p.connection.LocalDescription().SDP, nil
	case "addCandidate":
		return nil, p.connection.AddICECandidate(webrtc.ICECandidateInit{Candidate: read[string](args, 1)})
	case "openChannel":
		return nil, p.create(read[channelOptions](args, 1))
	case "opened":
		found, err := p.line(read[string](args, 1))
		if err == nil && found.channel.ReadyState() != webrtc.DataChannelStateOpen {
			err = fmt.Errorf("the channel %q is %v, not open", found.channel.Label(), found.channel.ReadyState())
		}
		return nil, err
	case "closed":
		return p.closed(read[string](args, 1))
	case "describe":
		return p.describe(read[string](args, 1))
	case "send":
		return nil, p.send(read[string](args, 1), read[message](args, 2))
	case "receive":
		label := read[string](args, 1)
		received, err := p.next(label, fmt.Sprintf("a message on %q", label))
		return wire(received), err
	case "drain":
		return p.drain(read[string](args, 1))
	case "sendBulk":
		return p.sendBulk(read[string](args, 1), read[int](args, 2))
	case "receiveBulk":
		return p.receiveBulk(read[string](args, 1), read[int](args, 2))
	case "closeChannel":
		found, err := p.line(read[string](args, 1))
		if err != nil {
			return nil, err
		}
		return nil, found.channel.Close()
	case "publish":
		return nil, p.publish()
	case "publishLayers":
		return nil, p.publishLayers(read[[]string](args, 1))
	case "watch":
		return nil, p.watchMedia()
	case "played":
		return p.played(), nil
	case "transport":
		return map[string]any{}, nil // pion keeps version, suite and role to itself
	case "close":
		return nil, p.connection.Close()
	}
	return nil, fmt.Errorf("no such method: %s", method)
}

func wire(received webrtc.DataChannelMessage) message {
	text := string(received.Data)
	if received.IsString {
		return message{Text: &text}
	}
	characters := make([]rune, len(received.Data))
	for i, value := range received.Data {
		characters[i] = rune(value)
	}
	text = string(characters)
	return message{Binary: &text}
}

func latin1(text string) []byte {
	bytes := make([]byte, 0, len(text))
	for _, character := range text {
		bytes = append(bytes, byte(character))
	}
	return bytes
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// read takes the argument at index; the tests send what the contract says.
func read[T any](args []json.RawMessage, index int) T {
	var value T
	if err := json.Unmarshal(args[index], &value); err != nil {
		panic(err)
	}
	return value
}

type request struct {
	ID     int               `json:"id"`
	Method string            `json:"method"`
	Args   []json.RawMessage `json:"args"`
}

func main() {
	var output sync.Mutex
	encoder := json.NewEncoder(os.Stdout)
	say := func(reply map[string]any) {
		output.Lock()
		defer output.Unlock()
		if err := encoder.Encode(reply); err != nil {
			os.Exit(1)
		}
	}
	say(map[string]any{"ready": "pion/webrtc v3, " + runtime.Version()})

	peers := map[string]*peer{}
	input := bufio.NewScanner(os.Stdin)
	// A line holds a whole message, whose bytes JSON may write with six characters each.
	input.Buffer(nil, 16*1024*1024)
	for input.Scan() {
		var asked request
		if err := json.Unmarshal(input.Bytes(), &asked); err != nil {
			panic(err)
		}
		name := read[string](asked.Args, 0)
		if peers[name] == nil {
			made, err := newPeer()
			if err != nil {
				panic(err)
			}
			peers[name] = made
		}
		go func(to *peer) {
			result, err := to.serve(asked.Method, asked.Args)
			if err != nil {
				say(map[string]any{"id": asked.ID, "error": err.Error()})
				return
			}
			say(map[string]any{"id": asked.ID, "result": result})
		}(peers[name])
	}
}
