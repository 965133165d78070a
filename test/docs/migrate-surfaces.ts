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

  'from-pion': {
    versions: ['pion/webrtc v4.2.26', 'v3.1.56'],
    names: {
      'The package': `
        NewPeerConnection NewAPI API WithMediaEngine WithSettingEngine WithInterceptorRegistry NewICEGatherer NewICETransport
        NewDTLSTransport NewSCTPTransport NewDataChannel NewRTPSender NewRTPReceiver GatheringCompletePromise NewICEUDPMux
        NewICETCPMux RegisterDefaultInterceptors ConfigureNack ConfigureRTCPReports ConfigureTWCCSender
        ConfigureTWCCHeaderExtensionSender ConfigureCongestionControlFeedback ConfigureSimulcastExtensionHeaders
        ConfigureStatsInterceptor ConfigureFlexFEC03 GenerateCertificate NewCertificate CertificateFromPEM CertificateFromX509
        NewTrackLocalStaticRTP NewTrackLocalStaticSample`,
      Configuration: `
        ICEServers ICETransportPolicy BundlePolicy RTCPMuxPolicy PeerIdentity Certificates ICECandidatePoolSize SDPSemantics
        AlwaysNegotiateDataChannels RTPHeaderEncryptionPolicy`,
      PeerConnection: `
        AddICECandidate AddTrack AddTransceiverFromKind AddTransceiverFromTrack CanTrickleICECandidates Close ConnectionState
        CreateAnswer CreateDataChannel CreateOffer CurrentLocalDescription CurrentRemoteDescription GetConfiguration GetReceivers
        GetSenders GetStats GetTransceivers GracefulClose ICEConnectionState ICEGatheringState ID LocalDescription
        OnConnectionStateChange OnDataChannel OnICECandidate OnICEConnectionStateChange OnICEGatheringStateChange
        OnNegotiationNeeded OnSignalingStateChange OnTrack PendingLocalDescription PendingRemoteDescription RemoteDescription
        RemoveTrack SCTP SetConfiguration SetIdentityProvider SetLocalDescription SetRemoteDescription SignalingState WriteRTCP`,
      DataChannel: `
        BufferedAmount BufferedAmountLowThreshold Close Detach DetachWithDeadline GracefulClose ID Label MaxPacketLifeTime
        MaxRetransmits Negotiated OnBufferedAmountLow OnClose OnClosing OnDial OnError OnMessage OnOpen Ordered Protocol ReadyState
        Send SendText SetBufferedAmountLowThreshold Transport`,
      SettingEngine: `
        DetachDataChannels DisableActiveTCP DisableCertificateFingerprintVerification DisableCloseByDTLS DisableMediaEngineCopy
        DisableMediaEngineMultipleCodecs DisableSRTCPReplayProtection DisableSRTPReplayProtection EnableDataChannelBlockWrite
        EnableSCTPZeroChecksum EnableSctpSnap SetAnsweringDTLSRole SetDTLSCertificateRequestMessageHook SetDTLSCipherSuites
        SetDTLSClientAuth SetDTLSClientCAs SetDTLSClientHelloMessageHook SetDTLSConnectContextMaker SetDTLSCustomerCipherSuites
        SetDTLSDisableInsecureSkipVerify SetDTLSEllipticCurves SetDTLSExtendedMasterSecret SetDTLSInsecureSkipHelloVerify
        SetDTLSKeyLogWriter SetDTLSReplayProtectionWindow SetDTLSRetransmissionInterval SetDTLSRootCAs SetDTLSServerHelloMessageHook
        SetDTLSSupportedProtocols SetEphemeralUDPPortRange SetFireOnTrackBeforeFirstRTP SetHandleUndeclaredSSRCWithoutAnswer
        SetHostAcceptanceMinWait SetICEAddressRewriteRules SetICEBindingRequestHandler SetICECredentials SetICEMaxBindingRequests
        SetICEMulticastDNSMode SetICEProxyDialer SetICERenomination SetICETCPMux SetICETimeouts SetICEUDPMux
        SetICEUseCandidateCheckPriority SetIPFilter SetIgnoreRidPauseForRecv SetIncludeLoopbackCandidate SetInterfaceFilter SetLite
        SetMulticastDNSHostName SetNAT1To1IPs SetNet SetNetworkTypes SetPrflxAcceptanceMinWait SetReceiveMTU SetRelayAcceptanceMinWait
        SetRemoteIPFilter SetSCTPCwndCAStep SetSCTPFastRtxWnd SetSCTPMaxMessageSize SetSCTPMaxReceiveBufferSize SetSCTPMinCwnd
        SetSCTPRTOMax SetSDPMediaLevelFingerprints SetSRTCPReplayProtectionWindow SetSRTPProtectionProfiles
        SetSRTPReplayProtectionWindow SetSTUNGatherTimeout SetSrflxAcceptanceMinWait`,
      Media: `
        MediaEngine RegisterCodec RegisterDefaultCodecs RegisterFeedback RegisterHeaderExtension TrackLocalStaticRTP Bind Codec ID
        Kind RID StreamID Unbind Write WriteRTP WithPayloader WithRTPSequenceNumber WithRTPStreamID WithRTPTimestamp
        TrackLocalStaticSample GeneratePadding WriteSample TrackRemote HasRTX Msid PayloadType Read ReadRTP RtxSSRC SSRC
        SetReadDeadline RTPSender AddEncoding GetParameters ReadRTCP ReadSimulcast ReadSimulcastRTCP ReplaceTrack Send
        SetReadDeadlineSimulcast Stop Track Transport RTPReceiver RTPTransceiver Receive SetRTPParameters Tracks Direction Mid
        RTPHeaderEncryptionNegotiated Receiver Sender SetCodecPreferences SetMid SetSender`,
      Transports: `
        DTLSTransport GetLocalParameters GetRemoteCertificate ICETransport OnStateChange Start StartContext State Stop
        AddRemoteCandidate GetRemoteParameters GetSelectedCandidatePair GetSelectedCandidatePairStats GracefulStop
        OnConnectionStateChange OnSelectedCandidatePairChange Role SetRemoteCandidates Stats ICEGatherer Gather GetLocalCandidates
        OnLocalCandidate SCTPTransport BufferedAmount GetCapabilities GetSctpInit MaxChannels Metadata OnDataChannelOpened OnError
        Certificate Equals Expires GetFingerprints PEM ICECandidate String ToICE ToJSON SessionDescription Unmarshal`,
    },
    others: 'ICECandidateInit DataChannelInit IsString ICERestart',
  },
  'from-str0m': {
    versions: ['str0m 0.23.1'],
    names: {
      Rtc: `
        new builder build is_alive disconnect add_local_candidate add_remote_candidate is_connected sdp_api direct_api writer media
        poll_output last_timeout_reason accepts handle_input close channel bwe codec_config init_crypto_default`,
      RtcConfig: `
        local_ice_credentials set_local_ice_credentials set_crypto_provider crypto_provider dtls_cert set_dtls_cert set_ice_lite
        set_initial_stun_rto set_max_stun_rto set_max_stun_retransmits fingerprint_verification set_fingerprint_verification ice_lite
        codec_config clear_codecs enable_opus enable_pcmu enable_pcma enable_g722 enable_comfort_noise enable_vp8 enable_h264
        enable_h265 enable_h266 enable_vp9 enable_av1 extension_map set_extension_map clear_extension_map set_extension
        set_stats_interval stats_interval set_rtcp_report_interval_audio rtcp_report_interval_audio set_rtcp_report_interval_video
        rtcp_report_interval_video enable_bwe bwe_initial_bitrate set_reordering_size_audio reordering_size_audio
        set_reordering_size_video reordering_size_video set_send_buffer_audio send_buffer_audio set_send_buffer_video
        send_buffer_video set_rtp_mode rtp_mode enable_raw_packets set_snap_enabled set_dtls_version dtls_version set_mtu mtu
        mtu_warn set_vp9_packetizer_mode vp9_packetizer_mode`,
      SdpApi: `
        accept_offer accept_answer has_changes add_media set_direction stop_media add_channel add_channel_with_config ice_restart
        apply merge`,
      DirectApi: `
        set_ice_controlling local_ice_credentials set_local_ice_credentials set_remote_ice_credentials invalidate_candidate
        local_dtls_fingerprint remote_dtls_fingerprint dtls_protocol_version set_remote_fingerprint start_dtls start_sctp
        start_sctp_with_snap create_data_channel close_data_channel set_ice_lite enable_twcc_feedback new_ssrc
        channel_id_by_sctp_stream_id sctp_stream_id_by_channel_id declare_media remove_media expect_stream_rx remove_stream_rx
        stream_rx stream_rx_by_mid declare_stream_tx remove_stream_tx stream_tx stream_tx_by_mid reset_stream_tx
        send_app_specific_feedback send_pli_feedback`,
      Channel: `
        write buffered_amount set_buffered_amount_low_threshold config label ordered reliability negotiated protocol ChannelConfig`,
      Events: `
        Connected IceConnectionStateChange MediaAdded MediaData MediaChanged ChannelOpen ChannelData ChannelClose
        ChannelBufferedAmountLow PeerStats MediaIngressStats MediaEgressStats EgressBitrateEstimate KeyframeRequest StreamPaused
        SenderFeedback RtpPacket AppSpecificFeedback Closed RawPacket Probe`,
      Media: `
        Writer payload_params match_params rid audio_level start_of_talkspurt video_orientation abs_capture_time playout_delay
        user_extension_value write is_request_keyframe_possible request_keyframe StreamTx nackable csrc vp8_patch ssrc rtx mid
        queue_info set_rtx_cache set_unpaced write_rtp StreamRx cname set_pause_threshold last_time request_remb suppress_nack
        reset_roc expect_rid_rx rids_rx rids_tx stream_id track_id kind direction disabled stopped remote_pts remote_extmap
        set_desired_bitrate reset`,
      Candidate: `
        builder host server_reflexive relayed from_sdp_string prio addr local proto tcptype kind set_ufrag ufrag to_sdp_string udp tcp
        ssl_tcp tls`,
    },
    others: 'recv_from rtp_time poll_output',
  },
};
