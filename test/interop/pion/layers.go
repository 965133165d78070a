package main

import (
	"fmt"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v3"
)

const (
	midURI         = "urn:ietf:params:rtp-hdrext:sdes:mid"
	ridURI         = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
	repairedRidURI = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
	// layerShift is where in its number a packet says which layer it is of.
	layerShift = 24
)

// publishLayers sends one video as these encodings at once: a simulcast.
func (p *peer) publishLayers(rids []string) error {
	var sender *webrtc.RTPSender
	tracks := []*webrtc.TrackLocalStaticRTP{}
	for _, rid := range rids {
		track, err := webrtc.NewTrackLocalStaticRTP(
			webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}, "video", "pion", webrtc.WithRTPStreamID(rid))
		if err != nil {
			return err
		}
		if sender == nil {
			sender, err = p.connection.AddTrack(track)
		} else {
			err = sender.AddEncoding(track)
		}
		if err != nil {
			return err
		}
		tracks = append(tracks, track)
	}
	for layer, track := range tracks {
		go p.streamLayer(sender, track, uint32(layer))
	}
	return nil
}

func (p *peer) streamLayer(sender *webrtc.RTPSender, track *webrtc.TrackLocalStaticRTP, layer uint32) {
	wishes := make(chan struct{}, 1)
	wishes <- struct{}{}
	go p.hearLayer(sender, track.RID(), wishes)
	for frame := uint32(0); p.connection.ConnectionState() != webrtc.PeerConnectionStateClosed; frame++ {
		time.Sleep(frameTime)
		if p.connection.ConnectionState() != webrtc.PeerConnectionStateConnected {
			continue
		}
		isKeyframe := false
		select {
		case <-wishes:
			isKeyframe = true
		default:
		}
		for part := uint32(0); part < packetsPerFrame; part++ {
			number := layer<<layerShift | (frame*packetsPerFrame + part)
			packet := &rtp.Packet{Header: rtp.Header{
				Version: 2, Marker: part == packetsPerFrame-1, SequenceNumber: uint16(number), Timestamp: frame * 1800,
			}}
			packet.Payload = videoPayload(frame, part, isKeyframe, number)
			p.name(&packet.Header, sender, track.RID())
			_ = track.WriteRTP(packet)
		}
	}
}

// name writes into a packet which section it is of, and which layer.
func (p *peer) name(header *rtp.Header, sender *webrtc.RTPSender, rid string) {
	mid := ""
	for _, transceiver := range p.connection.GetTransceivers() {
		if transceiver.Sender() == sender {
			mid = transceiver.Mid()
		}
	}
	for _, extension := range sender.GetParameters().HeaderExtensions {
		switch extension.URI {
		case midURI:
			_ = header.SetExtension(uint8(extension.ID), []byte(mid))
		case ridURI:
			_ = header.SetExtension(uint8(extension.ID), []byte(rid))
		}
	}
}

// hearLayer waits until the sender sends: before, there is nothing to be read of a layer.
func (p *peer) hearLayer(sender *webrtc.RTPSender, rid string, wishes chan<- struct{}) {
	for p.connection.ConnectionState() != webrtc.PeerConnectionStateConnected {
		if p.connection.ConnectionState() == webrtc.PeerConnectionStateClosed {
			return
		}
		time.Sleep(frameTime)
	}
	for {
		packets, _, err := sender.ReadSimulcastRTCP(rid)
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.mutex.Lock()
				p.media.keyframeRequests++
				p.mutex.Unlock()
				select {
				case wishes <- struct{}{}:
				default:
				}
			}
		}
	}
}

// heardLayer notes which layer a packet is of, and whether it was a keyframe with which that one began.
func (m *media) heardLayer(number uint32, payload []byte) {
	layer := number >> layerShift
	if m.layers == nil {
		m.layers = map[string]int{}
		m.layer = layer
	}
	m.layers[fmt.Sprint(layer)]++
	beginsKeyframe := payload[0]&0x10 != 0 && payload[4]&1 == 0
	if layer != m.layer && !beginsKeyframe {
		m.abruptSwitches++
	}
	m.layer = layer
}

// repairNames has what is sent again say which layer it repairs (RFC 8852 §3.2): pion repeats the name of the layer as if it were one.
type repairNames struct{ interceptor.NoOp }

func (*repairNames) NewInterceptor(string) (interceptor.Interceptor, error) {
	return &repairNames{}, nil
}

func (*repairNames) BindLocalStream(info *interceptor.StreamInfo, writer interceptor.RTPWriter) interceptor.RTPWriter {
	var rid, repairedRid uint8
	for _, extension := range info.RTPHeaderExtensions {
		switch extension.URI {
		case ridURI:
			rid = uint8(extension.ID)
		case repairedRidURI:
			repairedRid = uint8(extension.ID)
		}
	}
	return interceptor.RTPWriterFunc(
		func(header *rtp.Header, payload []byte, attributes interceptor.Attributes) (int, error) {
			isRepair := header.SSRC != info.SSRC
			if name := header.GetExtension(rid); isRepair && rid != 0 && repairedRid != 0 && name != nil {
				renamed := header.Clone()
				_ = renamed.DelExtension(rid)
				_ = renamed.SetExtension(repairedRid, name)
				header = &renamed
			}
			return writer.Write(header, payload, attributes)
		})
}
