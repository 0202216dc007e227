namespace LibKafka.Protocol

open LibKafka.Wire

/// An action on a message of any type.
type IMessageVisitor<'Result> =
    abstract Visit: key: ApiKey * message: Message<'T> * value: 'T -> 'Result

[<RequireQualifiedAccess>]
module private Visitors =

    let key =
        { new IMessageVisitor<ApiKey> with
            member _.Visit(key, _, _) = key }

    let encode version =
        { new IMessageVisitor<Result<Bytes, Fault>> with
            member _.Visit(_, message, value) = Message.encode version message value }

    let showWithSecrets =
        { new IMessageVisitor<string> with
            member _.Visit(_, message, value) = Message.showWithSecrets message value }

    let toJson version =
        { new IMessageVisitor<Result<string, Fault>> with
            member _.Visit(_, message, value) = Message.toJson version message value }

    let toJsonWithoutSecrets version =
        { new IMessageVisitor<Result<string, Fault>> with
            member _.Visit(_, message, value) = Message.toJsonWithoutSecrets version message value }

/// A way to read a message of any type.
type private IReading =
    abstract Read: message: Message<'T> -> Result<'T, Fault>

[<RequireQualifiedAccess>]
module private Reading =

    let decoding limits version bytes =
        { new IReading with
            member _.Read message = Message.decode limits version message bytes }

    let ofJson version json =
        { new IReading with
            member _.Read message = Message.ofJson version message json }

    let unknown (key: ApiKey) : Fault = { Problem = Problem.UnknownApi key.Code; Offset = 0; Path = "" }

/// What can be done with a request of any API.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Request =

    /// Runs an action on the message in the union.
    let visit (visitor: IMessageVisitor<'Result>) (request: Request) : 'Result =
        request.WithApi
            { new IRequestVisitor<'Result> with
                member _.Visit(api, request) = visitor.Visit(api.Key, api.Request, request) }

    /// Whether the broker answers the request: see `Api.IsAnswered`.
    let isAnswered (request: Request) : bool =
        request.WithApi
            { new IRequestVisitor<bool> with
                member _.Visit(api, request) = api.IsAnswered request }

    /// The API of the request.
    let apiKey (request: Request) : ApiKey = visit Visitors.key request

    /// A one-line description: see `Message.show`.
    let show (request: Request) : string = request.ToString()

    /// The same description with the secrets in it: see `Message.showWithSecrets`.
    let showWithSecrets (request: Request) : string = visit Visitors.showWithSecrets request

    /// The bytes of the request at a version, without a header: see `Message.encode`.
    let encode (version: int16) (request: Request) : Result<Bytes, Fault> = visit (Visitors.encode version) request

    /// The request at a version as JSON in Kafka's own form: see `Message.toJson`.
    let toJson (version: int16) (request: Request) : Result<string, Fault> = visit (Visitors.toJson version) request

    /// The same JSON for a log or a screen: see `Message.toJsonWithoutSecrets`.
    let toJsonWithoutSecrets (version: int16) (request: Request) : Result<string, Fault> =
        visit (Visitors.toJsonWithoutSecrets version) request

    let private read (key: ApiKey) (reading: IReading) : Result<Request, Fault> =
        key
        |> Apis.visit
            { new IApiVisitor<Result<Request, Fault>> with
                member _.Visit(api, ofRequest, _) = reading.Read api.Request |> Result.map ofRequest }
        |> Option.defaultWith (fun () -> Error(Reading.unknown key))

    /// Reads a request of an API at a version, without a header: see `Message.decode`. An unknown API is a fault.
    let decode (limits: Limits) (key: ApiKey) (version: int16) (bytes: Bytes) : Result<Request, Fault> =
        read key (Reading.decoding limits version bytes)

    /// Reads a request of an API at a version from JSON in Kafka's own form: see `Message.ofJson`. An unknown API is a fault.
    let ofJson (key: ApiKey) (version: int16) (json: string) : Result<Request, Fault> = read key (Reading.ofJson version json)

/// What can be done with a response of any API.
[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module Response =

    /// Runs an action on the message in the union.
    let visit (visitor: IMessageVisitor<'Result>) (response: Response) : 'Result =
        response.WithApi
            { new IResponseVisitor<'Result> with
                member _.Visit(api, response) = visitor.Visit(api.Key, api.Response, response) }

    /// How long the client must pause, in milliseconds: see `Api.ThrottleTimeMs`.
    let throttleTimeMs (response: Response) : int32 =
        response.WithApi
            { new IResponseVisitor<int32> with
                member _.Visit(api, response) = api.ThrottleTimeMs response }

    /// The API of the response.
    let apiKey (response: Response) : ApiKey = visit Visitors.key response

    /// A one-line description: see `Message.show`.
    let show (response: Response) : string = response.ToString()

    /// The same description with the secrets in it: see `Message.showWithSecrets`.
    let showWithSecrets (response: Response) : string = visit Visitors.showWithSecrets response

    /// The bytes of the response at a version, without a header: see `Message.encode`.
    let encode (version: int16) (response: Response) : Result<Bytes, Fault> = visit (Visitors.encode version) response

    /// The response at a version as JSON in Kafka's own form: see `Message.toJson`.
    let toJson (version: int16) (response: Response) : Result<string, Fault> = visit (Visitors.toJson version) response

    /// The same JSON for a log or a screen: see `Message.toJsonWithoutSecrets`.
    let toJsonWithoutSecrets (version: int16) (response: Response) : Result<string, Fault> =
        visit (Visitors.toJsonWithoutSecrets version) response

    let private read (key: ApiKey) (reading: IReading) : Result<Response, Fault> =
        key
        |> Apis.visit
            { new IApiVisitor<Result<Response, Fault>> with
                member _.Visit(api, _, ofResponse) = reading.Read api.Response |> Result.map ofResponse }
        |> Option.defaultWith (fun () -> Error(Reading.unknown key))

    /// Reads a response of an API at a version, without a header: see `Message.decode`. An unknown API is a fault.
    let decode (limits: Limits) (key: ApiKey) (version: int16) (bytes: Bytes) : Result<Response, Fault> =
        read key (Reading.decoding limits version bytes)

    /// Reads a response of an API at a version from JSON in Kafka's own form: see `Message.ofJson`. An unknown API is a fault.
    let ofJson (key: ApiKey) (version: int16) (json: string) : Result<Response, Fault> = read key (Reading.ofJson version json)
