/// The lines of README.md that are not those of another sample. They are compiled, and not run.
module LibKafka.Samples.Overview

open LibKafka.Wire
open LibKafka.Records
open LibKafka.Protocol
open LibKafka.Client
open LibKafka.Compression

let compressed (batch: RecordBatch) =
    let packed = RecordBatch.compress (Zstd 6) batch // Result<RecordBatch, Fault>

    match packed with
    | Error fault -> Error fault
    | Ok packed ->
        let reading = Reading.withCodecs AllCodecs.Set
        let records = RecordBatch.openRecords reading packed // Result<BatchRecords, Fault>
        let plain = RecordBatch.decompress reading packed // Result<RecordBatch, Fault>
        Ok(records, plain)

let secured (user: string) (password: string) =
    let settings =
        { ClientSettings.standard with
            Tls = Some Tls.standard
            Sasl = Some(Sasl.scramSha512 user password)
            HeedThrottle = true }

    settings

let repeated (producer: IdempotentProducer) (batch: RecordBatch) =
    let produced = RetryPolicy.idempotent.Run(fun call -> producer.Produce(batch, call))
    produced

let written (request: Fetch.Request) =
    let bytes = Message.encode 13s Fetch.api.Request request // Result<Bytes, Fault>
    let read (bytes: Bytes) =
        let back = Message.decode Limits.standard 13s Fetch.api.Request bytes
        back
    let text = Message.show Fetch.api.Request request // one readable line
    let json = Message.toJson 13s Fetch.api.Request request // Kafka's own JSON form
    bytes |> Result.bind read, text, json
