namespace LibKafka.Protocol

open LibKafka.Wire

/// One API of the protocol: a pair of messages, their versions, and the versions of the headers before them.
[<NoEquality; NoComparison>]
type Api<'Request, 'Response> =
    {
        Key: ApiKey
        Request: Message<'Request>
        Response: Message<'Response>
        /// How long the client is asked to pause because it exceeded a quota (KIP-219), according to a response: milliseconds, and 0 where
        /// the response has no such field. Found in the definition by the field's name.
        ThrottleTimeMs: 'Response -> int32
    }

    /// The name of the API in the protocol, without `Request` or `Response`.
    member this.Name = this.Key.Name

    /// The versions that are known here, of the request and of the response.
    member this.Versions = this.Request.Versions

    /// Whether a version is flexible (KIP-482).
    member this.IsFlexible(version: int16) = this.Request.FlexibleSince |> Option.exists (fun first -> version >= first)

    /// The version of the header before a request: 2 where the request is flexible, else 1.
    member this.RequestHeaderVersion(version: int16) = if this.IsFlexible version then 2s else 1s

    /// The version of the header before a response: 1 where the response is flexible, else 0. ApiVersions always has 0, so that a
    /// client can read the answer of a broker whose versions it does not know yet (KIP-511).
    member this.ResponseHeaderVersion(version: int16) = if this.IsFlexible version && this.Key <> ApiKey.ApiVersions then 1s else 0s

[<RequireQualifiedAccess>]
module Api =

    /// An API from its key, its lowest and highest version, its first flexible version, and the two definitions.
    let define
        (key: ApiKey)
        (lowest: int16)
        (highest: int16)
        (flexibleSince: int16 option)
        request
        (response: Schema<'Response>)
        : Api<'Request, 'Response> =
        let versions = { Lowest = lowest; Highest = highest }

        // Looked for when it is first asked for: the definition of a response is not made to send a request.
        let throttle = lazy (response.Int32Field "ThrottleTimeMs" |> Option.defaultValue (fun _ -> 0))

        { Key = key
          Request = { Name = key.Name + "Request"; Versions = versions; FlexibleSince = flexibleSince; Schema = request }
          Response = { Name = key.Name + "Response"; Versions = versions; FlexibleSince = flexibleSince; Schema = response }
          ThrottleTimeMs = fun response -> throttle.Force () response }
