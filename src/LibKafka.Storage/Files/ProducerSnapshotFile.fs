namespace LibKafka.Storage

open System
open System.Buffers.Binary
open LibKafka.Wire

/// The `.snapshot` files of a partition, whole: two bytes with the version, then a ProducerSnapshot. The name of a file is the offset of
/// the first record that it does not take into account.
[<RequireQualifiedAccess>]
module ProducerSnapshotFile =

    /// The position of the checksum, which is after the version.
    [<Literal>]
    let private CrcAt = 2

    /// The checksum of everything after it.
    let private crcOf (file: Bytes) : uint32 = Crc32C.compute (file.Span.Slice(CrcAt + 4))

    /// The content of a file. It is a fault if the checksum does not match, or if bytes remain after the content.
    let decode (limits: Limits) (file: Bytes) : Result<ProducerSnapshot.Value, Fault> =
        Prefix.split "ProducerSnapshot/Version" file
        |> Result.bind (fun struct (version, body) ->
            Message.decode limits version ProducerSnapshot.message body |> Result.mapError (Fault.after 2))
        |> Result.bind (fun snapshot ->
            let computed = crcOf file

            if computed = snapshot.Crc then
                Ok snapshot
            else
                Error { Problem = Problem.BadCrc(snapshot.Crc, computed); Offset = CrcAt; Path = "ProducerSnapshot/Crc" })

    /// The file of these producers, with its checksum.
    let encode (producers: ProducerSnapshot.ProducerEntry list) : Result<Bytes, Fault> =
        Message.encode 1s ProducerSnapshot.message { Crc = 0u; ProducerEntries = producers }
        |> Result.map (fun body ->
            let file = Prefix.add 1s body
            let all = file.ToArray()
            BinaryPrimitives.WriteUInt32BigEndian(Span<byte>(all, CrcAt, 4), crcOf file)
            Bytes all)
