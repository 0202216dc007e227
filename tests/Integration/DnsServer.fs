namespace LibKafka.Integration

open System
open System.Collections.Generic
open System.Net
open System.Net.Sockets
open System.Text
open System.Threading

/// A name server's response about an SRV name.
[<RequireQualifiedAccess>]
type DnsAnswer =
    /// Records: time to live in seconds, priority, weight, port and host of each.
    | Records of (int * int * int * int * string) list
    /// An error code, such as 3 for a name that does not exist.
    | Error of int
    /// No response.
    | Silence

/// A name server on a UDP socket that knows only SRV records (RFC 1035, RFC 2782).
[<Sealed>]
type DnsServer(answer: string -> DnsAnswer) =
    let socket = new UdpClient(IPEndPoint(IPAddress.Loopback, 0))
    let asked = List<string>()

    let labels (name: string) : byte[] =
        [| for label in name.Split('.', StringSplitOptions.RemoveEmptyEntries) do
               byte label.Length
               yield! Encoding.ASCII.GetBytes label
           0uy |]

    let int16 (value: int) = [| byte (value >>> 8); byte value |]

    /// The name of the only question, and the question itself.
    let question (query: byte[]) : string * byte[] =
        let rec read (at: int) (parts: string list) =
            match int query[at] with
            | 0 -> at + 1, List.rev parts
            | length -> read (at + 1 + length) (Encoding.ASCII.GetString(query, at + 1, length) :: parts)

        let finish, parts = read 12 []
        String.Join('.', parts), query[12 .. finish + 3]

    let response (query: byte[]) : byte[] option =
        let name, question = question query
        lock asked (fun () -> asked.Add name)

        let head code count = Array.concat [ query[0..1]; [| 0x84uy; byte code |]; int16 1; int16 count; int16 0; int16 0; question ]

        match answer name with
        | DnsAnswer.Silence -> None
        | DnsAnswer.Error code -> Some(head code 0)
        | DnsAnswer.Records records ->
            let record (live, priority, weight, port, host) =
                let data = Array.concat [ int16 priority; int16 weight; int16 port; labels host ]
                // A reference to the name in the question, which is at byte 12.
                Array.concat [ [| 0xc0uy; 12uy |]; int16 33; int16 1; int16 (live >>> 16); int16 live; int16 data.Length; data ]

            Some(Array.concat (head 0 records.Length :: List.map record records))

    let serve () =
        try
            let mutable from = IPEndPoint(IPAddress.Any, 0)
            let mutable query = socket.Receive(&from)

            // A disposed socket wakes up without data.
            while query.Length > 0 do
                match response query with
                | Some bytes -> socket.Send(bytes, bytes.Length, from) |> ignore
                | None -> ()

                query <- socket.Receive(&from)
        with
        | :? SocketException
        | :? ObjectDisposedException -> ()

    do Thread(serve, IsBackground = true).Start()

    /// The address it listens on.
    member _.EndPoint: IPEndPoint =
        match socket.Client.LocalEndPoint with
        | :? IPEndPoint as point -> point
        | _ -> failwith "a bound socket has a port"

    /// The names that it was asked for.
    member _.Asked: string list = lock asked (fun () -> List.ofSeq asked)

    interface IDisposable with
        member _.Dispose() = socket.Dispose()
