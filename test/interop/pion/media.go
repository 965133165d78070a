package main

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
)

const (
	frameTime       = 20 * time.Millisecond
	packetsPerFrame = 3
	videoSize       = 900
	audioSize       = 80
	stampSize       = 4
)

// media is what a peer has sent and received; its mutex is the peer's.
type media struct {
	seen             map[string]map[uint32]bool
	keyframeRequests int
	wantsKeyframe    bool
	problems         []string
	// layers counts the packets of each, layer is of the last one, abruptSwitches are those that no keyframe began.
	layers         map[string]int
	layer          uint32
	abruptSwitches int
}

// publish sends what nobody could decode and anybody can recognise: a number, and bytes that follow from it; of VP8 in front of
// them a payload descriptor, and the byte that tells a keyframe.
func (p *peer) publish() error {
	audio, err := webrtc.NewTrackLocalStaticRTP(
		webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}, "audio", "pion")
	if err != nil {
		return err
	}
	video, err := webrtc.NewTrackLocalStaticRTP(
		webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, "video", "pion")
	if err != nil {
		return err
	}
	for _, track := range []webrtc.TrackLocal{audio, video} {
		sender, err := p.connection.AddTrack(track)
		if err != nil {
			return err
		}
		go p.hear(sender)
	}
	p.media.wantsKeyframe = true
	go p.stream(audio, video)
	return nil
}

// hear reads what is said of a track: the interceptors are fed by it.
func (p *peer) hear(sender *webrtc.RTPSender) {
	for {
		packets, _, err := sender.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.mutex.Lock()
				p.media.keyframeRequests++
				p.media.wantsKeyframe = true
				p.mutex.Unlock()
			}
		}
	}
}

func (p *peer) stream(audio, video *webrtc.TrackLocalStaticRTP) {
	for frame := uint32(0); p.connection.ConnectionState() != webrtc.PeerConnectionStateClosed; frame++ {
		p.mutex.Lock()
		isKeyframe := p.media.wantsKeyframe
		p.media.wantsKeyframe = false
		p.mutex.Unlock()
		write(audio, frame, frame*960, false, stamped(nil, frame, audioSize))
		for part := uint32(0); part < packetsPerFrame; part++ {
			number := frame*packetsPerFrame + part
			write(video, number, frame*1800, part == packetsPerFrame-1, videoPayload(frame, part, isKeyframe, number))
		}
		time.Sleep(frameTime)
	}
}

func videoPayload(frame, part uint32, isKeyframe bool, number uint32) []byte {
	head := []byte{0x80, 0x80, 0x80 | byte(frame>>8), byte(frame), 1}
	if part == 0 {
		head[0] |= 0x10
		if isKeyframe {
			head[4] = 0
		}
	}
	return stamped(head, number, videoSize)
}

// write leaves it to the track which source and payload type that is; before there is a connection it goes nowhere.
func write(track *webrtc.TrackLocalStaticRTP, number, timestamp uint32, marker bool, payload []byte) {
	header := rtp.Header{Version: 2, Marker: marker, SequenceNumber: uint16(number), Timestamp: timestamp}
	_ = track.WriteRTP(&rtp.Packet{Header: header, Payload: payload})
}

func stamped(head []byte, number uint32, size int) []byte {
	payload := append([]byte{}, head...)
	payload = append(payload, make([]byte, size)...)
	stamp := payload[len(head):]
	binary.BigEndian.PutUint32(stamp, number)
	for i := stampSize; i < size; i++ {
		stamp[i] = byte(number + uint32(i))
	}
	return payload
}

// watchMedia is to receive one track of each kind.
func (p *peer) watchMedia() error {
	for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeAudio, webrtc.RTPCodecTypeVideo} {
		init := webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}
		if _, err := p.connection.AddTransceiverFromKind(kind, init); err != nil {
			return err
		}
	}
	return nil
}

// play looks whether what comes is what `stream` sends. It begins with a wish for a keyframe.
func (p *peer) play(track *webrtc.TrackRemote, receiver *webrtc.RTPReceiver) {
	kind := track.Kind().String()
	if kind == "video" {
		_ = p.connection.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: uint32(track.SSRC())}})
	}
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		number, problem := recognised(kind, packet.Payload)
		p.mutex.Lock()
		if p.media.seen == nil {
			p.media.seen = map[string]map[uint32]bool{"audio": {}, "video": {}}
		}
		// What its NACKs have brought can come twice: it does not see that a packet has come by RTX, and asks again.
		if problem == "" {
			p.media.seen[kind][number] = true
			if kind == "video" {
				p.media.heardLayer(number, packet.Payload)
			}
		} else {
			p.media.problems = append(p.media.problems, kind+": "+problem)
		}
		p.mutex.Unlock()
	}
}

func recognised(kind string, payload []byte) (uint32, string) {
	size := audioSize
	if kind == "video" {
		if len(payload) < 5 || payload[0]&0x80 == 0 || payload[1] != 0x80 || payload[2]&0x80 == 0 {
			return 0, fmt.Sprintf("the descriptor % x", payload[:min(6, len(payload))])
		}
		payload = payload[5:]
		size = videoSize
	}
	if len(payload) != size {
		return 0, fmt.Sprintf("%d bytes", len(payload))
	}
	number := binary.BigEndian.Uint32(payload)
	for i := stampSize; i < size; i++ {
		if payload[i] != byte(number+uint32(i)) {
			return 0, fmt.Sprintf("another byte at %d of number %d", i, number)
		}
	}
	return number, ""
}

func (p *peer) played() any {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	problems := append([]string{}, p.media.problems...)
	layers := map[string]int{}
	for layer, count := range p.media.layers {
		layers[layer] = count
	}
	return map[string]any{
		"audio": len(p.media.seen["audio"]), "video": len(p.media.seen["video"]),
		"problems": problems, "keyframeRequests": p.media.keyframeRequests,
		"layers": layers, "abruptSwitches": p.media.abruptSwitches,
	}
}
