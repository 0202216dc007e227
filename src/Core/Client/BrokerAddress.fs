namespace LibKafka.Client

open System
open System.Globalization

/// The address of a broker.
type BrokerAddress =
    {
        /// A host name or an IP address; an IPv6 address without brackets.
        Host: string
        Port: int
    }

    /// As in `kafka-1:9092` or `[::1]:9092`.
    override this.ToString() =
        if this.Host.Contains ':' then
            "[" + this.Host + "]:" + string this.Port
        else
            this.Host + ":" + string this.Port

[<RequireQualifiedAccess>]
module BrokerAddress =

    /// Parses an address such as `kafka-1:9092` or `[::1]:9092`; an error says why the text is not one.
    let parse (text: string) : Result<BrokerAddress, string> =
        let text = text.Trim()
        let colon = text.LastIndexOf ':'
        let host = if colon < 0 then "" else text.Substring(0, colon)

        let bare = if host.StartsWith '[' && host.EndsWith ']' then host.Substring(1, host.Length - 2) else host

        match Int32.TryParse(text.Substring(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture) with
        | true, port when bare <> "" && port > 0 && port <= 65535 && (bare = host) <> host.Contains ':' -> Ok { Host = bare; Port = port }
        | _ -> Error("'" + text + "' is not of the form host:port")

    /// Parses a list of addresses such as `kafka-1:9092,kafka-2:9092`.
    let parseList (text: string) : Result<BrokerAddress list, string> =
        let add (entry: string) rest =
            match parse entry, rest with
            | Ok address, Ok addresses -> Ok(address :: addresses)
            | Error reason, _ -> Error reason
            | _, Error reason -> Error reason

        match text.Split(',', StringSplitOptions.RemoveEmptyEntries) |> List.ofArray with
        | [] -> Error "no broker is named"
        | entries -> List.foldBack add entries (Ok [])
