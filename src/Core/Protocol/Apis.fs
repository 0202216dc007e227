namespace LibKafka.Protocol

open LibKafka.Wire

/// A request of any API.
[<RequireQualifiedAccess>]
type Request =
    | Produce of Produce.Request
    | Fetch of Fetch.Request
    | ListOffsets of ListOffsets.Request
    | Metadata of Metadata.Request
    | FindCoordinator of FindCoordinator.Request
    | JoinGroup of JoinGroup.Request
    | ApiVersions of ApiVersions.Request
    | CreateTopics of CreateTopics.Request
    | DeleteTopics of DeleteTopics.Request
    | DescribeConfigs of DescribeConfigs.Request
    | ConsumerGroupHeartbeat of ConsumerGroupHeartbeat.Request

/// A response of any API.
[<RequireQualifiedAccess>]
type Response =
    | Produce of Produce.Response
    | Fetch of Fetch.Response
    | ListOffsets of ListOffsets.Response
    | Metadata of Metadata.Response
    | FindCoordinator of FindCoordinator.Response
    | JoinGroup of JoinGroup.Response
    | ApiVersions of ApiVersions.Response
    | CreateTopics of CreateTopics.Response
    | DeleteTopics of DeleteTopics.Response
    | DescribeConfigs of DescribeConfigs.Response
    | ConsumerGroupHeartbeat of ConsumerGroupHeartbeat.Response

/// Something to do with any API, whatever the types of its messages.
type IApiVisitor<'Result> =
    abstract Visit: api: Api<'Request, 'Response> * ('Request -> Request) * ('Response -> Response) -> 'Result

/// All APIs that are known here.
[<RequireQualifiedAccess>]
module Apis =

    /// The keys of the APIs, in order.
    let keys: ApiKey list =
        [ ApiKey.Produce
          ApiKey.Fetch
          ApiKey.ListOffsets
          ApiKey.Metadata
          ApiKey.FindCoordinator
          ApiKey.JoinGroup
          ApiKey.ApiVersions
          ApiKey.CreateTopics
          ApiKey.DeleteTopics
          ApiKey.DescribeConfigs
          ApiKey.ConsumerGroupHeartbeat ]

    /// Does something with the API that has the key; none where it is not known. Only the definition that is asked for is touched, so a
    /// program does not pay for the others.
    let visit (visitor: IApiVisitor<'Result>) (key: ApiKey) : 'Result option =
        match key.Code with
        | 0s -> Some(visitor.Visit(Produce.api, Request.Produce, Response.Produce))
        | 1s -> Some(visitor.Visit(Fetch.api, Request.Fetch, Response.Fetch))
        | 2s -> Some(visitor.Visit(ListOffsets.api, Request.ListOffsets, Response.ListOffsets))
        | 3s -> Some(visitor.Visit(Metadata.api, Request.Metadata, Response.Metadata))
        | 10s -> Some(visitor.Visit(FindCoordinator.api, Request.FindCoordinator, Response.FindCoordinator))
        | 11s -> Some(visitor.Visit(JoinGroup.api, Request.JoinGroup, Response.JoinGroup))
        | 18s -> Some(visitor.Visit(ApiVersions.api, Request.ApiVersions, Response.ApiVersions))
        | 19s -> Some(visitor.Visit(CreateTopics.api, Request.CreateTopics, Response.CreateTopics))
        | 20s -> Some(visitor.Visit(DeleteTopics.api, Request.DeleteTopics, Response.DeleteTopics))
        | 32s -> Some(visitor.Visit(DescribeConfigs.api, Request.DescribeConfigs, Response.DescribeConfigs))
        | 68s -> Some(visitor.Visit(ConsumerGroupHeartbeat.api, Request.ConsumerGroupHeartbeat, Response.ConsumerGroupHeartbeat))
        | _ -> None

/// Something to do with any message, whatever its type.
type IMessageVisitor<'Result> =
    abstract Visit: key: ApiKey * message: Message<'T> * value: 'T -> 'Result

[<RequireQualifiedAccess>]
module Request =

    /// Does something with the message in the union.
    let visit (visitor: IMessageVisitor<'Result>) (request: Request) : 'Result =
        let visit (api: Api<'Q, 'A>) value = visitor.Visit(api.Key, api.Request, value)

        match request with
        | Request.Produce value -> visit Produce.api value
        | Request.Fetch value -> visit Fetch.api value
        | Request.ListOffsets value -> visit ListOffsets.api value
        | Request.Metadata value -> visit Metadata.api value
        | Request.FindCoordinator value -> visit FindCoordinator.api value
        | Request.JoinGroup value -> visit JoinGroup.api value
        | Request.ApiVersions value -> visit ApiVersions.api value
        | Request.CreateTopics value -> visit CreateTopics.api value
        | Request.DeleteTopics value -> visit DeleteTopics.api value
        | Request.DescribeConfigs value -> visit DescribeConfigs.api value
        | Request.ConsumerGroupHeartbeat value -> visit ConsumerGroupHeartbeat.api value

[<RequireQualifiedAccess>]
module Response =

    /// Does something with the message in the union.
    let visit (visitor: IMessageVisitor<'Result>) (response: Response) : 'Result =
        let visit (api: Api<'Q, 'A>) value = visitor.Visit(api.Key, api.Response, value)

        match response with
        | Response.Produce value -> visit Produce.api value
        | Response.Fetch value -> visit Fetch.api value
        | Response.ListOffsets value -> visit ListOffsets.api value
        | Response.Metadata value -> visit Metadata.api value
        | Response.FindCoordinator value -> visit FindCoordinator.api value
        | Response.JoinGroup value -> visit JoinGroup.api value
        | Response.ApiVersions value -> visit ApiVersions.api value
        | Response.CreateTopics value -> visit CreateTopics.api value
        | Response.DeleteTopics value -> visit DeleteTopics.api value
        | Response.DescribeConfigs value -> visit DescribeConfigs.api value
        | Response.ConsumerGroupHeartbeat value -> visit ConsumerGroupHeartbeat.api value
