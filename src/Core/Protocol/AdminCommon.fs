namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// Which access rules are meant: a rule matches where each field does.
type AclFilter =
    {
        /// `Any` for every type. Rules about users are known from version 3 on (KIP-373).
        ResourceTypeFilter: AclResourceType
        /// The name in the rule; null for every name.
        ResourceNameFilter: string option
        /// How `ResourceNameFilter` is compared with the name in the rule.
        PatternTypeFilter: AclPatternType
        /// Such as `User:alice`, and `User:*` for the rules about all users; null for every principal.
        PrincipalFilter: string option
        /// An address, and `*` for the rules about all addresses; null for every host.
        HostFilter: string option
        /// `Any` for every operation.
        Operation: AclOperation
        /// `Any` for either.
        PermissionType: AclPermission
    }

[<RequireQualifiedAccess>]
module internal AclFilter =

    let schema = message {
        let! resource = field "ResourceTypeFilter" _.ResourceTypeFilter aclResourceType
        and! name = field "ResourceNameFilter" _.ResourceNameFilter (string |> nullable)
        and! pattern = field "PatternTypeFilter" _.PatternTypeFilter (aclPatternType |> withDefault AclPatternType.Literal)
        and! principal = field "PrincipalFilter" _.PrincipalFilter (string |> nullable)
        and! host = field "HostFilter" _.HostFilter (string |> nullable)
        and! operation = field "Operation" _.Operation aclOperation
        and! permission = field "PermissionType" _.PermissionType aclPermission

        return
            { ResourceTypeFilter = resource
              ResourceNameFilter = name
              PatternTypeFilter = pattern
              PrincipalFilter = principal
              HostFilter = host
              Operation = operation
              PermissionType = permission }
    }

/// What became of the settings of one resource.
type AlterConfigsResult =
    {
        Error: ErrorCode
        /// What the broker says of the error; null where it says nothing.
        ErrorMessage: string option
        ResourceType: ConfigResourceType
        ResourceName: string
    }

[<RequireQualifiedAccess>]
module internal AlterConfigsResult =

    let schema = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! kind = field "ResourceType" _.ResourceType configResourceType
        and! name = field "ResourceName" _.ResourceName string

        return { Error = error; ErrorMessage = text; ResourceType = kind; ResourceName = name }
    }

/// One part of whom quotas are for, such as the user or the client id (KIP-546).
type QuotaEntity =
    {
        /// `user`, `client-id` or `ip` (KIP-612).
        EntityType: string
        /// Null for the default: everyone who has no quotas of their own.
        EntityName: string option
    }

[<RequireQualifiedAccess>]
module internal QuotaEntity =

    let schema = message {
        let! kind = field "EntityType" _.EntityType string
        and! name = field "EntityName" _.EntityName (string |> nullable)
        return { EntityType = kind; EntityName = name }
    }

/// A user that owns a delegation token or may renew it (KIP-48).
type DelegationTokenPrincipal =
    {
        /// `User`, unless the cluster has its own kinds of principals.
        PrincipalType: string
        PrincipalName: string
    }

[<RequireQualifiedAccess>]
module internal DelegationTokenPrincipal =

    let schema = message {
        let! kind = field "PrincipalType" _.PrincipalType string
        and! name = field "PrincipalName" _.PrincipalName string
        return { PrincipalType = kind; PrincipalName = name }
    }
