/**
 * What other libraries offer, name by name, as read at their source: by page of docs/migrate, and by the heading of the table that
 * says what takes its place. A name that is no row there fails the test; so does a version that the page does not name.
 */

/** One library. */
export interface Surface {
  /** Each stands in the page as it stands here. */
  readonly versions: readonly string[];
  /** By heading: names between white space. */
  readonly names: Readonly<Record<string, string>>;
  /** Named in the page and no row: of the platform, of a package beside it. */
  readonly others: string;
}

export const SURFACES: Readonly<Record<string, Surface>> = {
  'from-simple-peer': {
    versions: ['simple-peer 9.11.1', '`@types/simple-peer` 9.11.9'],
    names: {
      'Constructor options': `
        initiator channelConfig channelName config offerOptions answerOptions sdpTransform stream streams trickle
        allowHalfTrickle iceCompleteTimeout wrtc objectMode allowHalfOpen`,
      Methods: `
        signal send addStream removeStream addTrack removeTrack replaceTrack addTransceiver destroy negotiate getStats address
        write end pipe read setEncoding pause resume`,
      Properties: `
        bufferSize connected streams destroyed destroying channelName channelConfig channelNegotiated initiator config offerOptions
        answerOptions sdpTransform trickle allowHalfTrickle iceCompleteTimeout remoteAddress remoteFamily remotePort localAddress
        localFamily localPort readable writable writableLength`,
      Events: `
        signal connect data stream track close error end pause readable resume drain finish iceStateChange iceTimeout
        signalingStateChange negotiated`,
      'Error codes': `
        ERR_WEBRTC_SUPPORT ERR_CREATE_OFFER ERR_CREATE_ANSWER ERR_SET_LOCAL_DESCRIPTION ERR_SET_REMOTE_DESCRIPTION
        ERR_ADD_ICE_CANDIDATE ERR_ICE_CONNECTION_FAILURE ERR_SIGNALING ERR_DATA_CHANNEL ERR_CONNECTION_FAILURE
        ERR_PC_CONSTRUCTOR ERR_PC_PEER_IDENTITY ERR_ICE_CONNECTION_CLOSED ERR_DESTROYED ERR_ADD_TRANSCEIVER ERR_SENDER_REMOVED
        ERR_SENDER_ALREADY_ADDED ERR_TRACK_NOT_ADDED ERR_REMOVE_TRACK ERR_UNSUPPORTED_REPLACETRACK`,
      Statics: 'WEBRTC_SUPPORT config channelConfig',
    },
    others:
      'Peer MediaStream RTCPeerConnection Blob Readable fromWeb transceiverRequest renegotiate oldTrack newTrack',
  },

  'from-node-datachannel': {
    versions: ['node-datachannel 0.33.4'],
    names: {
      'Options of PeerConnection': `
        peerName iceServers proxyServer bindAddress enableIceTcp enableIceUdpMux disableAutoNegotiation forceMediaTransport
        portRangeBegin portRangeEnd maxMessageSize mtu iceTransportPolicy disableFingerprintVerification disableAutoGathering
        certificatePemFile keyPemFile keyPemPass hostname port username password relayType`,
      PeerConnection: `
        close destroy setLocalDescription setRemoteDescription localDescription remoteDescription remoteFingerprint
        addRemoteCandidate createDataChannel addTrack hasMedia state iceState signalingState gatheringState onLocalDescription
        onLocalCandidate onStateChange onIceStateChange onSignalingStateChange onGatheringStateChange onDataChannel onTrack
        bytesSent bytesReceived rtt getSelectedCandidatePair maxDataChannelId maxMessageSize`,
      'Options of createDataChannel': 'protocol negotiated id unordered maxPacketLifeTime maxRetransmits',
      DataChannel: `
        getLabel getId getProtocol close sendMessage sendMessageBinary isOpen bufferedAmount maxMessageSize
        setBufferedAmountLowThreshold onOpen onClosed onError onBufferedAmountLow onMessage`,
      'Of the module': `
        initLogger cleanup preload setSctpSettings getLibraryVersion WebSocket WebSocketServer DataChannelStream
        IceUdpMuxListener address port stop onUnhandledStunRequest recvBufferSize sendBufferSize maxChunksOnQueue
        initialCongestionWindow congestionControlModule delayedSackTime`,
      'Audio and video': `
        Audio Video Track addAudioCodec addOpusCodec addVideoCodec addH264Codec addH265Codec addVP8Codec addVP9Codec addAV1Codec
        direction generateSdp mid setDirection description removeFormat addSSRC removeSSRC replaceSSRC hasSSRC getSSRCs
        getCNameForSsrc setBitrate getBitrate hasPayloadType addRTXCodec addRTPMap parseSdpLine type close sendMessage
        sendMessageBinary isOpen isClosed bufferedAmount maxMessageSize requestBitrate setBufferedAmountLowThreshold
        requestKeyframe setMediaHandler onOpen onClosed onError onMessage PacingHandler RtcpReceivingSession RtcpNackResponder
        RtcpSrReporter RtpPacketizationConfig RtpPacketizer H264RtpPacketizer H265RtpPacketizer AV1RtpPacketizer MediaHandler
        addToChain rtpConfig playoutDelayId playoutDelayMin playoutDelayMax timestamp clockRate`,
    },
    others: 'iceUfrag icePwd RTCIceCandidateInit createPrivateKey bitRate newSize',
  },

  'from-wrtc': {
    versions: ['`@roamhq/wrtc` 0.10.0', '`wrtc` 0.4.7'],
    names: {
      RTCConfiguration: `
        iceServers iceTransportPolicy bundlePolicy rtcpMuxPolicy iceCandidatePoolSize certificates portRange sdpSemantics`,
      RTCPeerConnection: `
        addIceCandidate addTransceiver addTrack close createDataChannel createOffer createAnswer getConfiguration getReceivers
        getSenders getTransceivers getStats removeTrack setConfiguration setLocalDescription setRemoteDescription restartIce
        canTrickleIceCandidates connectionState currentLocalDescription localDescription pendingLocalDescription
        currentRemoteDescription remoteDescription pendingRemoteDescription signalingState sctp iceGatheringState
        iceConnectionState onconnectionstatechange ondatachannel oniceconnectionstatechange onicegatheringstatechange
        onnegotiationneeded onsignalingstatechange ontrack onicecandidate onicecandidateerror addEventListener
        removeEventListener dispatchEvent`,
      RTCDataChannel: `
        bufferedAmount id label maxPacketLifeTime maxRetransmits negotiated ordered priority protocol binaryType readyState close
        send onopen onmessage onclosing onclose onerror bufferedAmountLowThreshold onbufferedamountlow`,
      'Descriptions, candidates and events': `
        RTCSessionDescription type sdp RTCIceCandidate candidate sdpMid sdpMLineIndex usernameFragment RTCPeerConnectionIceEvent
        RTCPeerConnectionIceErrorEvent RTCDataChannelEvent`,
      Transports: `
        RTCSctpTransport transport state maxMessageSize maxChannels RTCDtlsTransport getRemoteCertificates iceTransport
        RTCIceTransport role component gatheringState getLocalCandidates getRemoteCandidates getSelectedCandidatePair
        getLocalParameters getRemoteParameters`,
      Media: `
        MediaStream active getAudioTracks getVideoTracks getTracks getTrackById addTrack removeTrack clone MediaStreamTrack
        enabled kind muted stop getSettings RTCRtpReceiver track transport rtcpTransport getParameters getContributingSources
        getSynchronizationSources getCapabilities RTCRtpSender setParameters replaceTrack setStreams RTCRtpTransceiver mid sender
        receiver stopped direction currentDirection setCodecPreferences getUserMedia mediaDevices getDisplayMedia
        enumerateDevices getSupportedConstraints nonstandard i420ToRgba rgbaToI420 RTCAudioSink RTCAudioSource RTCVideoSink
        RTCVideoSource createTrack onData onFrame isScreencast needsDenoising`,
    },
    others: 'iceRestart trackOrKind ArrayBuffer',
  },

  'from-werift': {
    versions: ['werift 0.25.2'],
    names: {
      'Options of RTCPeerConnection': `
        codecs headerExtensions iceTransportPolicy iceLite iceServers icePortRange iceInterfaceAddresses iceAdditionalHostAddresses
        iceUseIpv4 iceUseIpv6 iceUseTcp iceTcpPassive iceStunGatherTimeout iceTurnConnectTimeout turnTransport turnTlsOptions
        turnUdpFamily forceTurnTCP iceUseLinkLocalAddress iceFilterStunResponse iceFilterCandidatePair dtls keys icePasswordPrefix
        bundlePolicy rtcpMuxPolicy iceCandidatePoolSize certificates debug midSuffix maxMessageSize sctp mtu pendingRtp mLineReuse
        inboundPacketLoss outboundPacketLoss receiverReportDelay disableSendNack disableRecvRetransmit`,
      RTCPeerConnection: `
        id cname config negotiationneeded needRestart iceGatheringStateChange iceConnectionStateChange signalingStateChange
        connectionStateChange onDataChannel onRemoteTransceiverAdded onTransceiverAdded onIceCandidate onNegotiationneeded onTrack
        iceGathererState dtlsTransports sctpTransport sctpRemotePort iceTransports extIdUriMap iceGeneration remoteIsBundled`,
      RTCDataChannel: `
        sctp sendOpen statsId stateChange stateChanged onMessage error bufferedAmountLow isCreatedByRemote messagesSent bytesSent
        messagesReceived bytesReceived setId setReadyState addBufferedAmount`,
      RTCRtpTransceiver: `
        onTrack mLineIndex usedForSender offerDirection codecs headerExtensions onCodecPreferencesChanged pendingLocalOfferCodecs
        codecPreferencesNeedResolution codecPreferences options stopping rejected pendingRejection firedReceiving onStopRequested
        onRelease dtlsTransport setDirection setCurrentDirection setDtlsTransport msid msids addTrack associated commitStopped
        forceStop getPayloadType getCodecStats collectCodecStats`,
      RTCRtpSender: `
        kind ssrc rtxSsrc trackId onReady onRtcp onPictureLossIndication onGenericNack senderBWE redRedundantPayloadType redEncoder
        receiverEstimatedMaxBitrate codec dtlsTransport streamIds streamId stopped rtcpRunning setDtlsTransport redDistance
        prepareSend registerTrack setSendEncodings detachTrack stop runRtcp sendRtp replaceRTP handleRtcpPacket getStatsRootIds
        collectStats`,
      RTCRtpReceiver: `
        rtcpSsrc uuid tracks trackBySSRC trackByRID lastSRtimestamp receiveLastSRTimestamp onPacketLost onRtcp dtlsTransport sdesMid
        latestRid latestRepairedRid receiverTWCC stopped remoteStreamId remoteStreamIds remoteTrackId rtcpRunning setDtlsTransport
        nackEnabled twccEnabled pliEnabled prepareReceive resyncCodecs setupTWCC addTrack stop endTracks runRtcp getStatsRootIds
        collectStats sendRtcpPLI handleRtcpPacket handleRtpBySsrc handleRtpByRid`,
      MediaStreamTrack: `
        uuid streamId remote label kind id ssrc rid header codec enabled onReceiveRtp onReceiveRtcp onSourceChanged stopped muted
        readyState stop writeRtp writeRtcp notifySourceChanged applyIncomingRtp bindUpstreamStop stopMediaSource clone`,
      'Other exports': `
        useH264 useVP8 useVP9 useAV1 useAV1X useOPUS usePCMU usePCMA useG722 useFIR useNACK usePLI useREMB useTWCC useSdesMid
        useSdesRTPStreamId useRepairedRtpStreamId useTransportWideCC useAbsSendTime useDependencyDescriptor
        useAudioLevelIndication useVideoOrientation RTCRtpCodecParameters RtpPacket RtpHeader RtpBuilder RtcpSrPacket RtcpRrPacket
        RtcpSourceDescriptionPacket PictureLossIndication GenericNack TransportWideCC ReceiverEstimatedMaxBitrate
        RtcpPacketConverter rtpHeaderExtensionsParser deserializeAudioLevelIndication deserializeVideoOrientation
        deserializeAbsSendTime OpusRtpPayload Vp8RtpPayload Vp9RtpPayload AV1RtpPayload H264RtpPayload H265RtpPayload
        PcmuRtpPayload PcmaRtpPayload G722RtpPayload AacHbrRtpPayload dePacketizeRtpPackets OpusPacketizer Vp8Packetizer
        Vp9Packetizer Av1Packetizer H264Packetizer H265Packetizer PcmuPacketizer PcmaPacketizer G722Packetizer AacHbrPacketizer
        TelephoneEventPacketizer TelephoneEventRtpPayload RedEncoder RedHandler unwrapRtx wrapRtx RtpMediaPacer RtpMediaClock
        RtpMediaTimeline SrtpSession SrtcpSession Connection Candidate StunProtocol TurnProtocol createTurnClient DtlsClient
        DtlsServer DtlsSocket RTCSctpTransport SessionDescription MediaDescription candidateFromSdp candidateToSdp
        createSelfSignedCertificate RTCCertificate MediaStreamTrackFactory MediaRecorder JitterBufferBase NackHandlerBase
        LipsyncBase DepacketizeBase WebmBase MP4Base RtpSourceCallback navigator MediaDevices installPolyfill
        createPolyfillRTCPeerConnection`,
    },
    others: 'discontinuity pc',
  },
};
