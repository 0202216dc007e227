namespace LibKafka.Client

open System
open LibKafka.Protocol

/// What has configs: a topic, a broker by its id, a group, and so on.
type ConfigResource =
    { Type: ConfigResourceType
      Name: string }

    /// A one-line description.
    override this.ToString() = CodeName.Of this.Type + " " + this.Name

/// Describing, changing and listing configs.
[<RequireQualifiedAccess>]
module internal ConfigAdmin =

    let private isOneBrokers (resource: ConfigResource) =
        (resource.Type = ConfigResourceType.Broker && resource.Name <> "") || resource.Type = ConfigResourceType.BrokerLogger

    // The configs of one broker, and its log levels, are asked of that broker; all others of any broker.
    let private askEach (brokers: AdminBrokers) (resources: 'Resource list) (resourceOf: 'Resource -> ConfigResource) operation askSome =
        let byId =
            if resources |> List.exists (resourceOf >> isOneBrokers) then
                brokers.ById operation
            else
                fun _ -> Error AdminFault.NotAnswered

        let placeOf resource =
            let resource = resourceOf resource

            match isOneBrokers resource, Int32.TryParse resource.Name with
            | false, _ -> Ok None
            | true, (true, id) -> byId id |> Result.map Some
            | true, _ -> Error(AdminFault.Refused(ErrorCode.BrokerIdNotRegistered, None))

        let connect place =
            match place with
            | Some broker -> brokers.Connect(broker, operation)
            | None -> brokers.ConnectAny operation

        AdminRequest.askEach resources resourceOf placeOf connect askSome
        |> List.map (fun (resource, result) -> resourceOf resource, result)

    let describe (brokers: AdminBrokers) (resources: DescribeConfigs.Resource list) synonyms documentation operation =
        let resourceOf (resource: DescribeConfigs.Resource) = { Type = resource.ResourceType; Name = resource.ResourceName }

        let askSome connection (some: DescribeConfigs.Resource list) =
            let request: DescribeConfigs.Request =
                { Resources = some; IncludeSynonyms = synonyms; IncludeDocumentation = documentation }

            AdminRequest.ask connection operation some DescribeConfigs.api request resourceOf (fun response ->
                response.Results
                |> List.map (fun result ->
                    let configs = result.Configs |> List.map (DescribeConfigs.withSource result.ResourceType)

                    { Type = result.ResourceType; Name = result.ResourceName }, AdminFault.check result.Error result.ErrorMessage configs))

        askEach brokers resources resourceOf operation askSome

    let alter (brokers: AdminBrokers) (resources: IncrementalAlterConfigs.Resource list) validateOnly operation =
        let resourceOf (resource: IncrementalAlterConfigs.Resource) = { Type = resource.ResourceType; Name = resource.ResourceName }

        let askSome connection (some: IncrementalAlterConfigs.Resource list) =
            let request: IncrementalAlterConfigs.Request = { Resources = some; ValidateOnly = validateOnly }

            AdminRequest.ask connection operation some IncrementalAlterConfigs.api request resourceOf (fun response ->
                response.Results
                |> List.map (fun result ->
                    { Type = result.ResourceType; Name = result.ResourceName }, AdminFault.check result.Error result.ErrorMessage ()))

        askEach brokers resources resourceOf operation askSome

    let listResources (brokers: AdminBrokers) (types: ConfigResourceType list) operation : Result<ConfigResource list, AdminFault> =
        // Version 0 lists the client metrics subscriptions, and has no field that says so.
        let request (version: int16) : ListConfigResources.Request =
            { ResourceTypes =
                (if version < ListConfigResources.typesSince && types = [ ConfigResourceType.ClientMetrics ] then
                     []
                 else
                     types) }

        // No types means all of them, which an older broker would not list.
        let tooOld: ClientFault =
            ClientFault.BrokerTooOld(
                "a list of all config resources",
                "Kafka 4.1 (ListConfigResources 1)",
                "ask for the client metrics subscriptions only"
            )

        brokers.ConnectAny operation
        |> Result.bind (fun connection ->
            match connection.VersionOf ListConfigResources.api with
            | Ok version when version < ListConfigResources.typesSince && types.IsEmpty -> Error tooOld
            | _ -> connection.AskUpTo(ListConfigResources.api.Versions.Highest, ListConfigResources.api, request, operation).Result)
        |> Result.mapError AdminFault.Fault
        |> Result.bind (fun response ->
            let resources = [ for found in response.Resources -> { Type = found.ResourceType; Name = found.ResourceName } ]
            AdminFault.check response.Error None resources)
