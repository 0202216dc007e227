namespace LibKafka.Client

open System.Buffers.Binary
open System.Collections.Generic
open LibKafka.Wire
open LibKafka.Protocol

/// What a broker said about itself when the connection was made: the versions of each API that it supports, and the features of its cluster.
[<Sealed>]
type internal BrokerVersions(apis: ApiVersions.ApiVersion list, features: ApiVersions.FinalizedFeature list) =
    // By the number of the API, as an int: .NET has this dictionary compiled, and a key of a struct type would be boxed for each comparison.
    let known = Dictionary<int, ApiVersions.ApiVersion>()

    do
        for api in apis do
            known[int api.ApiKey.Code] <- api

    let tryFind (api: ApiKey) : VersionRange voption =
        match known.TryGetValue(int api.Code) with
        | true, found -> ValueSome { Lowest = found.MinVersion; Highest = found.MaxVersion }
        | _ -> ValueNone

    /// Nothing is known yet.
    static member val None = BrokerVersions([], [])

    member _.All: Map<ApiKey, VersionRange> =
        known.Values |> Seq.map (fun api -> api.ApiKey, { Lowest = api.MinVersion; Highest = api.MaxVersion }) |> Map.ofSeq

    member _.FinalizedFeatures: Map<string, int16> =
        features |> List.map (fun feature -> feature.Name, feature.MaxVersionLevel) |> Map.ofList

    /// The versions of an API that the broker supports; none if it does not know the API.
    member _.RangeOf(api: ApiKey) : VersionRange option =
        match tryFind api with
        | ValueSome range -> Some range
        | ValueNone -> None

    /// The highest version that the broker supports and that is within ours.
    member _.Within(api: ApiKey, ours: VersionRange) : Result<int16, ClientFault> =
        match tryFind api with
        | ValueSome theirs when min theirs.Highest ours.Highest >= max theirs.Lowest ours.Lowest -> Ok(min theirs.Highest ours.Highest)
        | ValueSome theirs -> Error(ClientFault.NoCommonVersion(api, ours, Some theirs))
        | ValueNone -> Error(ClientFault.NoCommonVersion(api, ours, None))

    /// Whether the broker responds at once when it throttles, and leaves the pause to the client: brokers since 2.0 do (KIP-219, of which
    /// ApiVersions 2 is a part).
    member _.LeavesPause: bool =
        match tryFind ApiKey.ApiVersions with
        | ValueSome range -> range.Highest >= 2s
        | ValueNone -> false

[<RequireQualifiedAccess>]
module internal BrokerVersions =

    // Whether the body of a response in version 0 has the length that its count of APIs says: an error code, the count, and three int16 for each.
    let private isWhole (frame: Bytes) : bool =
        frame.Length >= 10 && int64 frame.Length = 10L + 6L * int64 (BinaryPrimitives.ReadInt32BigEndian(frame.Span.Slice 6))

    /// Reads a response to ApiVersions. A broker that does not know the version of the request responds in version 0 with error 35 (KIP-511).
    /// Some add a body that is not well formed, so only the error code is used unless all of it can be read.
    let decode (limits: Limits) (version: int16) (frame: Bytes) : Result<struct (ApiVersions.Response * int), Fault> =
        let api = ApiVersions.api
        let refused = ErrorCode.UnsupportedVersion

        if frame.Length >= 6 && BinaryPrimitives.ReadInt16BigEndian(frame.Span.Slice 4) = refused.Code then
            // The check beforehand saves the exception of a body that cannot be read.
            let whole = if isWhole frame then Frame.readResponse limits api 0s frame |> Result.toOption else None
            let codeAlone () = struct ({ api.Response.Schema.Default with Error = refused }, frame.Length - 6)
            Ok(Option.defaultWith codeAlone whole)
        else
            Frame.readResponse limits api version frame

    /// The version to ask in next, after the broker did not know this one.
    let next (version: int16) (refusal: ApiVersions.Response) : int16 =
        let theirs =
            refusal.ApiKeys
            |> List.tryFind (fun key -> key.ApiKey = ApiKey.ApiVersions)
            |> Option.map _.MaxVersion
            |> Option.defaultValue 0s

        max 0s (min theirs (version - 1s))
