/// Values of the client made without a connection.
module LibKafka.Properties.Client.Support

open System
open LibKafka.Wire
open LibKafka.Protocol
open LibKafka.Client

let info: ExchangeInfo =
    { Api = ApiKey.Produce
      Version = 1s
      Broker = None
      CorrelationId = 1
      Attempt = 1
      Partition = None
      Began = DateTimeOffset.UnixEpoch
      Elapsed = TimeSpan.Zero
      BytesOut = 100
      BytesIn = 100
      UnreadBytes = 0
      ThrottleTime = TimeSpan.Zero
      Fault = None }

let exchange (request: Message<'Request>) (result: Result<'Answer, ClientFault>) : Exchange<'Request, 'Answer> =
    { Info = info; Request = request.Schema.Default; Result = result }

/// A leader's answer about a batch.
let refusal (code: ErrorCode) : Produce.PartitionResponse = { Produce.partitionResponse.Default with Error = code; BaseOffset = -1L }

let acknowledged (offset: int64) = ProduceResult.Acknowledged { BaseOffset = offset; LogAppendTimeMs = -1L; LogStartOffset = -1L }

let produced (result: ProduceResult) : Produced =
    Produced(LibKafka.Properties.Records.Samples.plainBatch 1, exchange Produce.api.Request (Ok None), result)

/// The reply to a fetch in some version and with some isolation level.
let fetchedWith (version: int16) (isolation: IsolationLevel) (position: FetchPosition) result : Fetched =
    let made = exchange Fetch.api.Request (result |> Result.map (fun (_: Fetch.PartitionResponse) -> Fetch.response.Default))

    Fetched(
        position,
        { made with
            Info = { made.Info with Api = ApiKey.Fetch; Version = version }
            Request = { made.Request with IsolationLevel = isolation } },
        result
    )

let fetchedAs (position: FetchPosition) (result: Result<Fetch.PartitionResponse, ClientFault>) : Fetched =
    fetchedWith Fetch.api.Versions.Highest IsolationLevel.ReadUncommitted position result

let fetchAnswer: Fetch.PartitionResponse = { Fetch.partitionResponse.Default with HighWatermark = -1L }

/// The reply to a fetch at an offset.
let fetched (offset: int64) (records: Bytes) : Fetched =
    fetchedAs (FetchPosition.at offset) (Ok { fetchAnswer with Records = Some records })
