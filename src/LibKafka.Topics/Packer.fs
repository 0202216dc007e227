namespace LibKafka.Topics

open System
open System.Collections.Generic
open System.Threading.Tasks
open LibKafka.Wire
open LibKafka.Records

/// Compresses batches, in memory that is used again.
[<Sealed>]
type internal Packer(codec: ICompressionCodec option, threads: int, time: TimeProvider) =
    let idle = Stack<CodecBuffer>()
    let options = ParallelOptions(MaxDegreeOfParallelism = threads)

    let rent () = if idle.Count > 0 then idle.Pop() else CodecBuffer()

    let compress (codec: ICompressionCodec) (shipment: Shipment) : Result<RecordBatch, Fault> =
        match shipment.Buffer with
        | null -> Ok shipment.Collected.Batch
        | buffer -> RecordBatch.compressIn buffer codec shipment.Collected.Batch

    /// Takes back the memory of a compressed batch that is not needed any more.
    member _.Return(shipment: Shipment) =
        match shipment.Buffer with
        | null -> ()
        | buffer ->
            shipment.Buffer <- null
            idle.Push buffer

    /// Compresses each batch if there is a codec, in as many threads as the settings allow, and hands it on with the fault if there is one.
    member this.Pack(shipments: List<Shipment>, take: Shipment -> Fault voption -> unit) =
        match codec with
        | None ->
            for shipment in shipments do
                take shipment ValueNone
        | Some codec ->
            let packed = Array.zeroCreate<Result<RecordBatch, Fault>> shipments.Count

            for shipment in shipments do
                shipment.Buffer <- rent ()

            let pack index = packed[index] <- compress codec shipments[index]

            if threads > 1 && shipments.Count > 1 then
                Parallel.For(0, shipments.Count, options, pack) |> ignore
            else
                for index in 0 .. shipments.Count - 1 do
                    pack index

            for index in 0 .. shipments.Count - 1 do
                match packed[index] with
                | Ok batch ->
                    shipments[index].Packed <- batch
                    shipments[index].CompressedAt <- ValueSome(time.GetTimestamp())
                    take shipments[index] ValueNone
                | Error fault ->
                    this.Return shipments[index]
                    take shipments[index] (ValueSome fault)
