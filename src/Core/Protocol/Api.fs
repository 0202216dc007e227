namespace LibKafka.Protocol

open LibKafka.Wire

/// One API of the protocol: its two messages, their versions, and the versions of the headers before them.
[<NoEquality; NoComparison>]
type Api<'Request, 'Response> =
    {
        Key: ApiKey
        Request: Message<'Request>
        Response: Message<'Response>
        /// The throttle time of a response, if the response has that field.
        Throttle: ('Response -> int32) option
        /// Which requests the broker answers. None if it answers all of them.
        Answered: ('Request -> bool) option
    }

    /// The name of the API in the protocol, without `Request` or `Response`.
    member this.Name = this.Key.Name

    /// The name and the versions, such as `Produce 0-13`.
    override this.ToString() = this.Key.Name + " " + this.Request.Versions.ToString()

    /// The versions that this library knows. They are the same for the request and the response.
    member this.Versions = this.Request.Versions

    /// How long the client must pause after a response because it exceeded a quota (KIP-219), in milliseconds; 0 if the response has no
    /// such field.
    member this.ThrottleTimeMs(response: 'Response) : int32 =
        match this.Throttle with
        | Some throttleTimeMs -> throttleTimeMs response
        | None -> 0

    /// Whether the broker answers the request. Produce with `Acks.None` is the only request without a response.
    member this.IsAnswered(request: 'Request) : bool =
        match this.Answered with
        | Some isAnswered -> isAnswered request
        | None -> true

    /// Whether a version is flexible (KIP-482).
    member this.IsFlexible(version: int16) = this.Request.FlexibleSince |> Option.exists (fun first -> version >= first)

    /// The version of the header before a request: 2 if the version is flexible, else 1.
    member this.RequestHeaderVersion(version: int16) = if this.IsFlexible version then 2s else 1s

    /// The version of the header before a response: 1 if the version is flexible, else 0. For ApiVersions it is always 0, so that a
    /// client can read the response before it knows the broker's versions (KIP-511).
    member this.ResponseHeaderVersion(version: int16) = if this.IsFlexible version && this.Key <> ApiKey.ApiVersions then 1s else 0s

/// Defines APIs. A definition is read from left to right, and says after the messages what is special about them:
/// `Api.define ApiKey.Heartbeat (versions 0 4 |> flexibleFrom 4) request response |> Api.throttledBy _.ThrottleTimeMs`
[<RequireQualifiedAccess>]
module Api =

    /// An API whose responses have no throttle time and whose requests are all answered.
    let define
        (key: ApiKey)
        (versions: MessageVersions)
        (request: Schema<'Request>)
        (response: Schema<'Response>)
        : Api<'Request, 'Response> =
        { Key = key
          Request = Message.define (key.Name + "Request") versions request
          Response = Message.define (key.Name + "Response") versions response
          Throttle = None
          Answered = None }

    /// The field of the response that says how long the client must pause, in milliseconds (KIP-219).
    let throttledBy (throttleTimeMs: 'Response -> int32) (api: Api<'Request, 'Response>) = { api with Throttle = Some throttleTimeMs }

    /// The broker answers a request only if this is true.
    let answeredIf (isAnswered: 'Request -> bool) (api: Api<'Request, 'Response>) = { api with Answered = Some isAnswered }
