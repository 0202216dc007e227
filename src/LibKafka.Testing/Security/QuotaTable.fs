namespace LibKafka.Testing

open LibKafka.Wire

// The keys of maps are not structs: each struct as a key costs a cluster a millisecond when it is the first one that starts.

/// Whom a quota is for, or whose use is counted: a user, a client id, both of them, or an IP address. ValueNone if it does not depend on that.
type QuotaSubject =
    {
        /// ValueSome "" is the default for all users.
        User: string voption
        /// ValueSome "" is the default for all client ids.
        ClientId: string voption
        /// ValueSome "" is the default for all IP addresses.
        Address: string voption
    }

    override this.ToString() =
        FieldText.show
            [ "User", FieldText.voptional this.User
              "ClientId", FieldText.voptional this.ClientId
              "Address", FieldText.voptional this.Address ]

/// Whose use of a quota is counted. Each broker counts for itself.
type QuotaUse =
    { Node: int32
      Key: string
      Subject: QuotaSubject }

    override this.ToString() = this.Key + " of " + this.Subject.ToString() + " on broker " + string this.Node

/// What was used in one window.
[<Struct>]
type QuotaSample =
    { Start: Moment
      Used: float }

    override this.ToString() = FieldText.show [ "Start", box this.Start; "Used", box this.Used ]

/// The partitions that may be created and deleted at a moment without exceeding a quota. Negative if it was exceeded.
type QuotaTokens =
    { Tokens: float
      Updated: Moment }

    override this.ToString() = FieldText.show [ "Tokens", box this.Tokens; "Updated", box this.Updated ]

/// The quotas of the cluster, and what was used of them.
type QuotaTable =
    {
        /// The quotas by subject, and by their key, such as `producer_byte_rate`.
        Limits: Map<QuotaSubject, Map<string, float>>
        /// The use of each subject that has a quota; the latest window first.
        Used: Map<QuotaUse, QuotaSample list>
        /// The tokens of each subject that has a quota of created and deleted partitions. The controller counts them for all brokers.
        Tokens: Map<QuotaSubject, QuotaTokens>
        /// quota.window.num
        Windows: int
        /// quota.window.size.seconds, in milliseconds
        WindowMs: int64
        /// controller.quota.window.num. These windows have a second each (controller.quota.window.size.seconds).
        ControllerWindows: int
        /// The time in milliseconds that each request counts for request_percentage.
        RequestCost: float
    }

    override this.ToString() =
        FieldText.show
            [ "Limits", box this.Limits
              "Used", box this.Used
              "Tokens", box this.Tokens
              "Windows", box this.Windows
              "WindowMs", box this.WindowMs
              "ControllerWindows", box this.ControllerWindows
              "RequestCost", box this.RequestCost ]

[<RequireQualifiedAccess>]
module QuotaTable =

    let empty: QuotaTable =
        { Limits = Map.empty
          Used = Map.empty
          Tokens = Map.empty
          Windows = 11
          WindowMs = 1000L
          ControllerWindows = 11
          RequestCost = 1.0 }
