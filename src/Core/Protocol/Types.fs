namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation

/// How the types of `ErrorCode.fs` and `Codes.fs` stand on the wire.
module internal Types =

    let errorCode = int16 |> mapped ErrorCode _.Code _.Name
    let apiKey = int16 |> mapped ApiKey _.Code _.Name
    let acks = int16 |> mapped Acks _.Code _.Name
    let isolationLevel = int8 |> mapped IsolationLevel _.Code _.Name
    let offsetSpec = int64 |> mapped OffsetSpec _.Timestamp _.Name
    let coordinatorType = int8 |> mapped CoordinatorType _.Code _.Name
    let configResourceType = int8 |> mapped ConfigResourceType _.Code _.Name
    let configSource = int8 |> mapped ConfigSource _.Code _.Name
    let configType = int8 |> mapped ConfigType _.Code _.Name
    let authorizedOperations = int32 |> mapped AuthorizedOperations _.Bits (fun _ -> "")
