/// Packet captures: file formats, link layers, and TCP connections with every disorder that networks make.
module LibKafka.Properties.PacketCaptureTests

open System
open System.Buffers.Binary
open System.IO
open System.Net
open Expecto
open FsCheck.FSharp
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Properties.Support
open LibKafka.Properties.InspectSupport

// ---- Frames

let private request (correlationId: int) : byte[] =
    Frame.encodeRequest Heartbeat.api 0s correlationId (Some "me") { Heartbeat.request.Default with GroupId = "g"; MemberId = "m" }
    |> ok "encode"
    |> _.ToArray()

let private response (correlationId: int) : byte[] =
    Frame.encodeResponse Heartbeat.api 0s correlationId Heartbeat.response.Default |> ok "encode" |> _.ToArray()

let private sized (frame: byte[]) : byte[] =
    let length = Array.zeroCreate<byte> 4
    BinaryPrimitives.WriteInt32BigEndian(length, frame.Length)
    Array.append length frame

// ---- Packets

let private big16 (value: int) = [| byte (value >>> 8); byte value |]
let private big32 (value: uint32) = [| byte (value >>> 24); byte (value >>> 16); byte (value >>> 8); byte value |]
let private little32 (value: uint32) = Array.rev (big32 value)
let private little16 (value: int) = Array.rev (big16 value)

[<Literal>]
let private Syn = 2

[<Literal>]
let private Ack = 16

/// A TCP segment with its header.
let private tcp (source: int) (destination: int) (sequence: uint32) (acknowledged: uint32) (flags: int) (payload: byte[]) : byte[] =
    Array.concat
        [ big16 source
          big16 destination
          big32 sequence
          big32 acknowledged
          // A header of six words, the last of which are options.
          [| 0x60uy; byte flags; 0uy; 100uy; 0uy; 0uy; 0uy; 0uy; 1uy; 1uy; 1uy; 0uy |]
          payload ]

let private client, server = [| 10uy; 0uy; 0uy; 1uy |], [| 10uy; 0uy; 0uy; 2uy |]

let private ipv4 (source: byte[]) (destination: byte[]) (content: byte[]) : byte[] =
    Array.concat
        [ [| 0x45uy; 0uy |]
          big16 (20 + content.Length)
          [| 0uy; 1uy; 0x40uy; 0uy; 64uy; 6uy; 0uy; 0uy |]
          source
          destination
          content ]

/// With a hop-by-hop header before the TCP header.
let private ipv6 (source: byte[]) (destination: byte[]) (content: byte[]) : byte[] =
    let address (short: byte[]) = Array.append (Array.zeroCreate 12) short

    Array.concat
        [ [| 0x60uy; 0uy; 0uy; 0uy |]
          big16 (8 + content.Length)
          [| 0uy; 64uy |]
          address source
          address destination
          [| 6uy; 0uy; 1uy; 4uy; 0uy; 0uy; 0uy; 0uy |]
          content ]

let private ethernet (kind: int) (packet: byte[]) : byte[] = Array.concat [ Array.zeroCreate 12; big16 kind; packet ]

type private Side =
    | Client
    | Server

/// One segment of a conversation on ports 50000 and 9092.
type private Piece = { From: Side; Sequence: uint32; Acknowledged: uint32; Flags: int; Payload: byte[] }

let private segmentOf (piece: Piece) : byte[] =
    match piece.From with
    | Client -> tcp 50000 9092 piece.Sequence piece.Acknowledged piece.Flags piece.Payload
    | Server -> tcp 9092 50000 piece.Sequence piece.Acknowledged piece.Flags piece.Payload

let private packet4 (piece: Piece) : byte[] =
    match piece.From with
    | Client -> ipv4 client server (segmentOf piece)
    | Server -> ipv4 server client (segmentOf piece)

let private packet6 (piece: Piece) : byte[] =
    match piece.From with
    | Client -> ipv6 client server (segmentOf piece)
    | Server -> ipv6 server client (segmentOf piece)

// ---- Files

let private pcap (linkType: uint32) (packets: byte[] list) : byte[] =
    let header =
        Array.concat [ little32 0xA1B2C3D4u; little16 2; little16 4; little32 0u; little32 0u; little32 65535u; little32 linkType ]

    let record (packet: byte[]) =
        let size = little32 (uint32 packet.Length)
        Array.concat [ little32 1_700_000_000u; little32 250_000u; size; size; packet ]

    Array.concat (header :: List.map record packets)

let private block (order: byte[] -> byte[]) (kind: uint32) (body: byte[]) : byte[] =
    let padded = Array.append body (Array.zeroCreate ((4 - body.Length % 4) % 4))
    let size = order (big32 (uint32 (padded.Length + 12)))
    Array.concat [ order (big32 kind); size; padded; size ]

let private pcapng (isBig: bool) (linkType: int) (packets: byte[] list) : byte[] =
    let order = if isBig then id else Array.rev
    let number (value: uint32) = order (big32 value)
    let short (value: int) = order (big16 value)

    let section = block order 0x0A0D0D0Au (Array.concat [ number 0x1A2B3C4Du; short 1; short 0; Array.create 8 0xFFuy ])

    // The resolution is nanoseconds, and a hundred seconds are added to the times.
    let resolution = Array.concat [ short 9; short 1; [| 9uy; 0uy; 0uy; 0uy |] ]
    let offset = Array.concat [ short 14; short 8; order (Array.append (big32 0u) (big32 100u)) ]
    let description = block order 1u (Array.concat [ short linkType; short 0; number 0u; resolution; offset; short 0; short 0 ])

    let time = 1_699_999_900_250_000_000UL

    let packet (data: byte[]) =
        let size = number (uint32 data.Length)
        block order 6u (Array.concat [ number 0u; number (uint32 (time >>> 32)); number (uint32 time); size; size; data ])

    // A block of a kind that has no packets.
    let names = block order 4u (Array.zeroCreate 4)
    Array.concat (section :: description :: names :: List.map packet packets)

// ---- A conversation

let private clientStart, serverStart = 4294967280u, 1000u

let private opening =
    [ { From = Client; Sequence = clientStart; Acknowledged = 0u; Flags = Syn; Payload = [||] }
      { From = Server; Sequence = serverStart; Acknowledged = clientStart + 1u; Flags = Syn ||| Ack; Payload = [||] } ]

/// The segments of a stream that is cut at these positions.
let private cut (from: Side) (start: uint32) (acknowledged: uint32) (stream: byte[]) (positions: int list) : Piece list =
    let bounds = 0 :: List.distinct (List.sort positions) @ [ stream.Length ] |> List.distinct

    [ for first, last in List.pairwise bounds ->
          { From = from
            Sequence = start + 1u + uint32 first
            Acknowledged = acknowledged
            Flags = Ack
            Payload = Array.sub stream first (last - first) } ]

let private requestStream = Array.concat [ for id in 1..3 -> sized (request id) ]
let private responseStream = Array.concat [ for id in 1..3 -> sized (response id) ]
let private requestPieces = cut Client clientStart (serverStart + 1u) requestStream
let private responsePieces = cut Server serverStart (clientStart + 1u + uint32 requestStream.Length) responseStream
let private conversation = opening @ requestPieces [] @ responsePieces []

/// What is printed of frames: connection, kind and correlation id.
let private framesIn (outcome: Outcome) : string list =
    outcome.Lines
    |> List.map json
    |> List.filter (fun line -> get "api" line <> "")
    |> List.map (fun line -> get "connection" line + " " + get "kind" line + " " + get "correlationId" line)

let private complaintsIn (outcome: Outcome) : string list =
    outcome.Lines |> List.map json |> List.map (get "fault") |> List.filter (fun text -> text <> "")

let private whole = [ for id in 1..3 -> "1 request " + string id ] @ [ for id in 1..3 -> "1 response " + string id ]

let private read (capture: byte[]) : Outcome = inspect "capture --format json" capture

let private expectWhole (what: string) (capture: byte[]) =
    let outcome = read capture
    Expect.equal (framesIn outcome) whole what
    Expect.equal (outcome.Code, complaintsIn outcome, outcome.Complaints) (0, [], "") what

// ---- Tests

let private formats =
    testCase "pcap and pcapng, IPv4 and IPv6, and the link layers" (fun () ->
        let ip4, ip6 = List.map packet4 conversation, List.map packet6 conversation
        let linked (header: byte[]) = List.map (Array.append header)
        let sll = Array.append (Array.zeroCreate 14)
        let sll2 (kind: int) = Array.append (big16 kind) (Array.zeroCreate 18)
        expectWhole "Ethernet" (pcap 1u (List.map (ethernet 0x0800) ip4))
        expectWhole "Ethernet, IPv6" (pcap 1u (List.map (ethernet 0x86DD) ip6))
        expectWhole "VLAN" (pcap 1u (List.map (fun packet -> ethernet 0x8100 (Array.concat [ big16 5; big16 0x0800; packet ])) ip4))
        expectWhole "raw" (pcap 101u (ip4 |> List.map id))
        expectWhole "loopback, little endian" (pcap 0u (linked (little32 2u) ip4))
        expectWhole "loopback, big endian" (pcap 108u (linked (big32 30u) ip6))
        expectWhole "cooked" (pcap 113u (linked (sll (big16 0x0800)) ip4))
        expectWhole "cooked, version 2" (pcap 276u (linked (sll2 0x86DD) ip6))
        expectWhole "pcapng, little endian" (pcapng false 1 (List.map (ethernet 0x0800) ip4))
        expectWhole "pcapng, big endian" (pcapng true 101 ip6)
        let padded = List.map (fun packet -> Array.append (ethernet 0x0800 packet) (Array.zeroCreate 6)) ip4
        expectWhole "Ethernet pads short packets" (pcap 1u padded))

let private times =
    testCase "frames have the time of their packet and the number of their connection" (fun () ->
        let packets = List.map packet4 conversation

        for capture in [ pcap 101u packets; pcapng false 101 packets; pcapng true 101 packets ] do
            Expect.equal (get "time" (json (read capture).Lines.Head)) "1700000000250" "the time"
            Expect.stringStarts (inspect "capture" capture).Lines.Head "[1] 2023-11-14T22:13:20.250Z #1 → Heartbeat v0 request" "text")

let private recognized =
    testCase "files named *.pcap and *.pcapng are captures" (fun () ->
        for suffix in [ ".pcap"; ".pcapng" ] do
            withFiles [ pcap 101u (List.map packet4 conversation) ] suffix (fun paths ->
                Expect.equal (framesIn (inspect ("--format json " + paths[0]) Array.empty)) whole "the frames"))

/// Segments of any size, in any order, some of them sent twice: the frames are the same as long as nothing is missing.
let private disorder =
    let positions (stream: byte[]) = Gen.listOf (Gen.choose (1, stream.Length - 1))

    let shuffled (pieces: Piece list) = gen {
        let! repeated = Gen.subListOf pieces
        let! order = Gen.shuffle (pieces @ repeated)
        return List.ofArray order
    }

    let captures = gen {
        let! requestCuts = positions requestStream
        let! responseCuts = positions responseStream
        // The client sends its requests before it has a response.
        let! requests = shuffled (requestPieces requestCuts)
        let! responses = shuffled (responsePieces responseCuts)
        return pcap 101u (List.map packet4 (opening @ requests @ responses))
    }

    law 200 "segments in any order, and sent again, give the same frames" (Prop.forAll (Arb.fromGen captures) (expectWhole "the frames"))

let private losses =
    testList
        "what is missing"
        [ testCase "lost segments are reported, and the next frames are found" (fun () ->
              let first, second = (sized (request 1)).Length, (sized (request 2)).Length

              let requests =
                  requestPieces [ first; first + second ] |> List.filter (fun piece -> piece.Sequence <> clientStart + 1u + uint32 first)

              let outcome = read (pcap 101u (List.map packet4 (opening @ requests @ responsePieces [])))
              let expected = [ "1 request 1"; "1 request 3"; "1 response 1"; "1 response 3" ]
              Expect.equal (framesIn outcome |> List.filter (fun line -> not (line.EndsWith " 2"))) expected "the frames"
              Expect.equal outcome.Code 1 "the exit code"
              Expect.contains (complaintsIn outcome) (string second + " bytes are not in the capture") "the loss"
              Expect.contains (complaintsIn outcome) "no earlier request has the correlation id 2" "the response without its request")

          testCase "a capture that begins after the connection, and within a frame" (fun () ->
              let requests = requestPieces [ 10; (sized (request 1)).Length ] |> List.tail
              let outcome = read (pcap 101u (List.map packet4 (requests @ responsePieces [ (sized (response 1)).Length ])))
              let expected = [ "1 request 2"; "1 request 3"; "1 response 2"; "1 response 3" ]
              Expect.equal (framesIn outcome, outcome.Code) (expected, 0) "the frames")

          testCase "packets that were cut by the capture" (fun () ->
              let short = List.map packet4 conversation |> List.map (fun packet -> Array.truncate 60 packet)
              let outcome = read (pcap 101u short)
              Expect.equal outcome.Code 1 "the exit code"
              Expect.exists (complaintsIn outcome) (fun text -> text.EndsWith " bytes are not in the capture") "the loss")

          testCase "a segment from far before or after the others changes no frame" (fun () ->
              for distance in [ 0x7FFFFFFEu; 0x7FFFFFFFu; 0x80000000u; 0x80000001u ] do
                  let stray =
                      { From = Client
                        Sequence = clientStart + 1u + distance
                        Acknowledged = serverStart + 1u
                        Flags = Ack
                        Payload = [| 1uy |] }

                  let outcome = read (pcap 101u (List.map packet4 (opening @ stray :: requestPieces [] @ responsePieces [])))
                  Expect.containsAll (framesIn outcome) whole $"%d{distance} bytes away")

          testCase "connections that are not of Kafka are counted" (fun () ->
              let hello = Text.Encoding.ASCII.GetBytes "GET / HTTP/1.1\r\nHost: example\r\n\r\n"
              let pieces = opening @ cut Client clientStart (serverStart + 1u) hello []
              let outcome = read (pcap 101u (List.map packet4 pieces))
              Expect.equal (outcome.Code, outcome.Lines) (0, []) "nothing is printed"
              Expect.equal outcome.Complaints "libkafka-inspect: 1 connection is not of Kafka, or encrypted\n" "the message")

          testCase "--port selects the connections of a broker" (fun () ->
              let capture = pcap 101u (List.map packet4 conversation)
              Expect.equal (framesIn (inspect "capture --format json --port 9092" capture)) whole "its port"
              Expect.equal (inspect "capture --format json --port 9093" capture).Lines [] "another port")

          testCase "two connections with the same ports, one after the other" (fun () ->
              let outcome = read (pcap 101u (List.map packet4 (conversation @ conversation)))
              let second = whole |> List.map (fun line -> "2" + line.Substring 1)
              Expect.equal (framesIn outcome) (whole @ second) "the frames") ]

let private damaged =
    let captures =
        [ "pcap", pcap 101u (List.map packet4 conversation); "pcapng", pcapng false 101 (List.map packet4 conversation) ]

    let expectRead (capture: byte[]) (at: int) (value: byte) =
        let changed = Array.copy capture
        changed[at] <- value
        let outcome = inspect "capture --records" changed
        Expect.isTrue (outcome.Code = 0 || outcome.Code = 1) $"the exit code with %d{value} at byte %d{at}"

    testList
        "damaged files"
        [ testCase "are reported with the place" (fun () ->
              let good = pcap 101u (List.map packet4 conversation)
              let cut = read (Array.truncate (good.Length - 3) good)
              Expect.equal cut.Code 1 "the exit code"
              Expect.stringContains (List.last (complaintsIn cut)) "the capture ends within a block" "cut off"
              Expect.equal (complaintsIn (read [| 1uy; 2uy; 3uy; 4uy |])) [ "neither a pcap nor a pcapng file" ] "another file"
              Expect.equal (read Array.empty).Code 0 "an empty file"
              let unknown = read (pcap 147u [ [| 1uy |] ])
              Expect.equal unknown.Code 1 "the exit code"
              Expect.stringContains unknown.Complaints "1 packets have the link type 147, which cannot be read" "the link type")

          testCase "a packet of an interface whose number has the highest bit is reported" (fun () ->
              let capture = pcapng false 101 (List.map packet4 conversation)
              // The last byte of the first packet's interface.
              capture[99] <- 0x80uy
              let outcome = read capture
              Expect.equal outcome.Code 1 "the exit code"
              Expect.stringContains (List.last (complaintsIn outcome)) "a packet is of interface 2147483648, which" "why")

          testCase "a capture in hex that ends in other characters is read up to them" (fun () ->
              let capture = pcap 101u (List.map packet4 conversation)
              let whole = inspect "capture" capture
              let outcome = inspectText "capture --input hex" (Convert.ToHexString capture + "zz")
              Expect.equal outcome.Code 1 "the exit code"
              let expected = sprintf "@%d unreadable at byte %d: 'z' is not a hexadecimal digit" capture.Length capture.Length
              Expect.stringStarts (List.last outcome.Lines) expected "why"
              Expect.equal outcome.Lines.Head whole.Lines.Head "the first frame")

          for name, capture in captures do
              law 150 ("any change of a byte gives lines and an exit code: " + name) (fun (at: int) (value: byte) ->
                  expectRead capture (abs (at % capture.Length)) value)

              testCase ("the ends of ranges at any byte give lines and an exit code: " + name) (fun () ->
                  for at in 0 .. capture.Length - 1 do
                      // The byte may be the highest of a number.
                      for value in [ 0uy; 1uy; 0x7Fuy; 0x80uy; 0xFFuy ] do
                          expectRead capture at value) ]

// ---- Packets that tcpdump and dumpcap have captured

/// The requests that the brokers received: connection, API, version and correlation id.
let private received = lazy (TestData.textLines TestData.packets "requests.txt")

/// The requests of a capture in the same form, each connection by itself, and those of its responses.
let private requestsIn (file: string) : string list * string list =
    let outcome = inspect ("capture --format json " + Path.Combine(TestData.packets, file)) Array.empty
    Expect.equal (outcome.Code, complaintsIn outcome, outcome.Complaints) (0, [], "") file

    let ofKind (kind: string) =
        outcome.Lines
        |> List.map json
        |> List.filter (fun line -> get "kind" line = kind)
        |> List.map (fun line ->
            String.Join(' ', List.map (fun name -> get name line) [ "connection"; "api"; "apiVersion"; "correlationId" ]))
        |> List.sort

    ofKind "request", ofKind "response"

let private expectReceived (file: string) (expected: string list) =
    let requests, responses = requestsIn file
    Expect.equal requests (List.sort expected) file
    Expect.equal responses requests (file + ": every request has its response")

let private realPackets =
    testList
        "captured packets have the requests that the brokers received"
        [ testCase "with every link layer and format" (fun () ->
              for file in [ "lo.pcap"; "any.pcap"; "any.pcapng" ] do
                  expectReceived file received.Value)

          testCase "with a segment out of order and sent again" (fun () -> expectReceived "disorder.pcap" (List.truncate 9 received.Value))

          testCase "from the middle of two connections on, although their server has the higher port" (fun () ->
              expectReceived "middle.pcap" (received.Value |> List.truncate 9 |> List.skip 4)) ]

[<Tests>]
let tests =
    testList "libkafka-inspect on packet captures" [ formats; times; recognized; disorder; losses; damaged; realPackets ]
