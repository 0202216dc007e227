namespace LibKafka

/// The keys of client quotas.
[<RequireQualifiedAccess>]
module QuotaKeys =

    /// The bytes that a client may produce in a second, by user and client id.
    [<Literal>]
    let ProducerByteRate = "producer_byte_rate"

    /// The bytes that a client may fetch in a second, by user and client id.
    [<Literal>]
    let ConsumerByteRate = "consumer_byte_rate"

    /// The time of a broker's request threads that a client may take, in percent of one thread, by user and client id.
    [<Literal>]
    let RequestPercentage = "request_percentage"

    /// The partitions that a client may create and delete in a second, by user and client id (KIP-599).
    [<Literal>]
    let ControllerMutationRate = "controller_mutation_rate"

    /// The connections that may be made in a second, by IP address (KIP-612).
    [<Literal>]
    let ConnectionCreationRate = "connection_creation_rate"

namespace LibKafka.Client

open System
open LibKafka.Protocol

/// A name that a quota applies to.
[<RequireQualifiedAccess>]
type QuotaName =
    | Named of string
    /// Every name without a quota of its own.
    | Default

    /// The name, or `<default>`.
    override this.ToString() =
        match this with
        | Named name -> name
        | Default -> "<default>"

/// What a client quota applies to (KIP-546).
[<RequireQualifiedAccess>]
type ClientQuotaEntity =
    | User of QuotaName
    | ClientId of QuotaName
    /// A client id of a user.
    | UserAndClientId of user: QuotaName * clientId: QuotaName
    /// An IP address (KIP-612).
    | Ip of QuotaName
    /// Names of other types, or in other combinations, by type.
    | Other of (string * QuotaName) list

    /// As in `user alice, client-id <default>`.
    override this.ToString() =
        let part (kind: string, name: QuotaName) = kind + " " + name.ToString()
        String.Join(", ", this.Parts |> List.map part)

    /// The names by type: `user`, `client-id`, `ip`.
    member this.Parts: (string * QuotaName) list =
        match this with
        | User name -> [ "user", name ]
        | ClientId name -> [ "client-id", name ]
        | UserAndClientId(user, clientId) -> [ "user", user; "client-id", clientId ]
        | Ip name -> [ "ip", name ]
        | Other parts -> parts

    /// The entity with these names, by type. Their order has no meaning.
    static member OfParts(parts: (string * QuotaName) list) : ClientQuotaEntity =
        match parts with
        | [ "user", name ] -> User name
        | [ "client-id", name ] -> ClientId name
        | [ "user", user; "client-id", clientId ]
        | [ "client-id", clientId; "user", user ] -> UserAndClientId(user, clientId)
        | [ "ip", name ] -> Ip name
        | _ -> Other(parts |> List.sortBy fst)

/// Which names of a type an entity must have.
[<RequireQualifiedAccess>]
type QuotaMatch =
    | Exactly of QuotaName
    /// Any name, or the default.
    | Any

    /// The name, `<default>`, or `any`.
    override this.ToString() =
        match this with
        | Exactly name -> name.ToString()
        | Any -> "any"

/// Which entities to describe.
type ClientQuotaFilter =
    {
        /// What an entity must have, by type: `user`, `client-id`, `ip`. Empty for all entities.
        Parts: (string * QuotaMatch) list
        /// Whether an entity must not have other types.
        IsStrict: bool
    }

    /// As in `user alice, client-id any`.
    override this.ToString() =
        let part (kind: string, wanted: QuotaMatch) = kind + " " + wanted.ToString()

        (if this.Parts.IsEmpty then "all" else String.Join(", ", this.Parts |> List.map part))
        + (if this.IsStrict then " and nothing else" else "")

[<RequireQualifiedAccess>]
module ClientQuotaFilter =

    /// All entities.
    let all: ClientQuotaFilter = { Parts = []; IsStrict = false }

    /// One entity.
    let exactly (entity: ClientQuotaEntity) : ClientQuotaFilter =
        { Parts = [ for kind, name in entity.Parts -> kind, QuotaMatch.Exactly name ]; IsStrict = true }

/// The quotas of one entity, by their keys: see `QuotaKeys`.
type ClientQuotas =
    { Entity: ClientQuotaEntity
      Values: Map<string, float> }

    /// As in `user alice: producer_byte_rate 1024`.
    override this.ToString() =
        this.Entity.ToString()
        + ": "
        + String.Join(", ", [ for key, value in Map.toSeq this.Values -> key + " " + string value ])

/// Changes of the quotas of one entity, by their keys: see `QuotaKeys`. A quota without a value is removed.
type ClientQuotaChange =
    { Entity: ClientQuotaEntity
      Quotas: (string * float option) list }

    /// As in `user alice: producer_byte_rate 1024, consumer_byte_rate removed`.
    override this.ToString() =
        let one (key: string, value: float option) =
            match value with
            | Some value -> key + " " + string value
            | None -> key + " removed"

        this.Entity.ToString() + ": " + String.Join(", ", this.Quotas |> List.map one)

/// Describing and changing client quotas (KIP-546).
[<RequireQualifiedAccess>]
module internal QuotaAdmin =

    let private entityIn (parts: QuotaEntity list) : ClientQuotaEntity =
        let nameOf (part: QuotaEntity) =
            match part.EntityName with
            | Some name -> QuotaName.Named name
            | None -> QuotaName.Default

        ClientQuotaEntity.OfParts [ for part in parts -> part.EntityType, nameOf part ]

    let private toParts (entity: ClientQuotaEntity) : QuotaEntity list =
        let nameOf name =
            match name with
            | QuotaName.Named name -> Some name
            | QuotaName.Default -> None

        [ for kind, name in entity.Parts -> { EntityType = kind; EntityName = nameOf name } ]

    let describe (brokers: AdminBrokers) (filter: ClientQuotaFilter) operation : Result<ClientQuotas list, AdminFault> =
        let part (kind, wanted) : DescribeClientQuotas.Filter =
            match wanted with
            | QuotaMatch.Exactly(QuotaName.Named name) -> { EntityType = kind; MatchType = QuotaMatchType.Exact; Match = Some name }
            | QuotaMatch.Exactly QuotaName.Default -> { EntityType = kind; MatchType = QuotaMatchType.Default; Match = None }
            | QuotaMatch.Any -> { EntityType = kind; MatchType = QuotaMatchType.Specified; Match = None }

        let request: DescribeClientQuotas.Request = { Components = List.map part filter.Parts; Strict = filter.IsStrict }

        let quotas (entry: DescribeClientQuotas.Entry) : ClientQuotas =
            { Entity = entityIn entry.Entity; Values = Map.ofList [ for quota in entry.Values -> quota.Key, quota.Value ] }

        AdminRequest.answer (brokers.ConnectAny operation) operation DescribeClientQuotas.api request (fun response ->
            response.Entries |> Option.defaultValue [] |> List.map quotas |> AdminFault.check response.Error response.ErrorMessage)

    let alter (brokers: AdminBrokers) (changes: ClientQuotaChange list) validateOnly operation =
        // An entity whose parts are in another order is the same.
        let entityOf (change: ClientQuotaChange) = ClientQuotaEntity.OfParts change.Entity.Parts

        let askSome connection some =
            let quota (key, value: float option) : AlterClientQuotas.Operation =
                { Key = key; Value = Option.defaultValue 0.0 value; Remove = value.IsNone }

            let entry (change: ClientQuotaChange) : AlterClientQuotas.EntryRequest =
                { Entity = toParts change.Entity; Operations = List.map quota change.Quotas }

            let request: AlterClientQuotas.Request = { Entries = List.map entry some; ValidateOnly = validateOnly }

            AdminRequest.ask connection operation some AlterClientQuotas.api request entityOf (fun response ->
                response.Entries
                |> List.map (fun result -> entityIn result.Entity, AdminFault.check result.Error result.ErrorMessage ()))

        AdminRequest.askApart (brokers.ConnectController operation) changes entityOf askSome
        |> List.map (fun (change, result) -> change.Entity, result)
