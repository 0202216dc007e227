namespace LibKafka.Protocol

open LibKafka.Wire
open LibKafka.Wire.Notation
open LibKafka.Protocol.Types

/// A filter for ACLs. An ACL matches if every field matches.
type AclFilter =
    {
        /// `Any` for all types. The type `User` is supported since version 3 of the ACL APIs (KIP-373).
        ResourceTypeFilter: AclResourceType
        /// The resource name of the ACL; null for all names.
        ResourceNameFilter: string option
        /// How `ResourceNameFilter` is compared with the resource name of the ACL. Version 0 knows only literal names. Since version 1
        /// (KIP-290).
        PatternTypeFilter: AclPatternType
        /// Such as `User:alice`, or `User:*` for the ACLs of all users; null for all principals.
        PrincipalFilter: string option
        /// An address, or `*` for the ACLs of all addresses; null for all hosts.
        HostFilter: string option
        /// `Any` for all operations.
        Operation: AclOperation
        /// `Any` for both permission types.
        PermissionType: AclPermission
    }

[<RequireQualifiedAccess>]
module AclFilter =

    /// The first version of the ACL APIs with pattern types (KIP-290). In version 0 all names are literal.
    let patternTypeSince = 1s

    let schema = message {
        let! resource = field "ResourceTypeFilter" _.ResourceTypeFilter aclResourceType
        and! name = field "ResourceNameFilter" _.ResourceNameFilter (string |> nullable)
        and! pattern =
            field "PatternTypeFilter" _.PatternTypeFilter (aclPatternType |> since patternTypeSince AclPatternType.Literal)
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

    /// The filter that every ACL matches.
    let any: AclFilter =
        { ResourceTypeFilter = AclResourceType.Any
          ResourceNameFilter = None
          PatternTypeFilter = AclPatternType.Any
          PrincipalFilter = None
          HostFilter = None
          Operation = AclOperation.Any
          PermissionType = AclPermission.Any }

    /// The filter as a version means it. All names are literal in version 0, so that `Any` is the same as `Literal`.
    let internal atVersion (version: Result<int16, 'Fault>) (filter: AclFilter) : AclFilter =
        match version with
        | Ok version when version < patternTypeSince && filter.PatternTypeFilter = AclPatternType.Any ->
            { filter with PatternTypeFilter = AclPatternType.Literal }
        | _ -> filter

/// The result for the configs of one resource.
type AlterConfigsResult =
    {
        /// The codes are listed in the responses of AlterConfigs and IncrementalAlterConfigs.
        Error: ErrorCode
        /// The broker's description of the error; null if it gives none.
        ErrorMessage: string option
        ResourceType: ConfigResourceType
        ResourceName: string
    }

[<RequireQualifiedAccess>]
module AlterConfigsResult =

    let schema = message {
        let! error = field "ErrorCode" _.Error errorCode
        and! text = field "ErrorMessage" _.ErrorMessage (string |> nullable)
        and! kind = field "ResourceType" _.ResourceType configResourceType
        and! name = field "ResourceName" _.ResourceName string

        return { Error = error; ErrorMessage = text; ResourceType = kind; ResourceName = name }
    }

/// One part of a quota entity, such as the user or the client id (KIP-546).
type QuotaEntity =
    {
        /// `user`, `client-id` or `ip` (KIP-612).
        EntityType: string
        /// Null for the default quota, which applies to names without their own quota.
        EntityName: string option
    }

[<RequireQualifiedAccess>]
module QuotaEntity =

    let schema = message {
        let! kind = field "EntityType" _.EntityType string
        and! name = field "EntityName" _.EntityName (string |> nullable)
        return { EntityType = kind; EntityName = name }
    }

/// A user that owns a delegation token or can renew it (KIP-48).
type DelegationTokenPrincipal =
    {
        /// `User`, unless the cluster has its own principal types.
        PrincipalType: string
        PrincipalName: string
    }

[<RequireQualifiedAccess>]
module DelegationTokenPrincipal =

    let schema = message {
        let! kind = field "PrincipalType" _.PrincipalType string
        and! name = field "PrincipalName" _.PrincipalName string
        return { PrincipalType = kind; PrincipalName = name }
    }

type AclFilter with
    override this.ToString() = Schema.show AclFilter.schema this
type AlterConfigsResult with
    override this.ToString() = Schema.show AlterConfigsResult.schema this
type QuotaEntity with
    override this.ToString() = Schema.show QuotaEntity.schema this
type DelegationTokenPrincipal with
    override this.ToString() = Schema.show DelegationTokenPrincipal.schema this
