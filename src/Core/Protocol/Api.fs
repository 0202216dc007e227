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

/// Finds the throttle time of responses. The field is looked for when a response first asks: the definition of a response is not made to send a
/// request.
[<Sealed>]
type private ThrottleTime<'Response>(response: Schema<'Response>) =
    // Two threads may find it at once: they find the same.
    let mutable found: ('Response -> int32) option = None

    member _.Of(value: 'Response) : int32 =
        match found with
        | Some get -> get value
        | None ->
            let get = response.Int32Field "ThrottleTimeMs" |> Option.defaultValue (fun _ -> 0)
            found <- Some get
            get value

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

        let throttle = ThrottleTime response

        { Key = key
          Request = { Name = key.Name + "Request"; Versions = versions; FlexibleSince = flexibleSince; Schema = request }
          Response = { Name = key.Name + "Response"; Versions = versions; FlexibleSince = flexibleSince; Schema = response }
          ThrottleTimeMs = fun response -> throttle.Of response }
