namespace LibKafka.Client

open System

/// Names of topics that a caller gives.
[<RequireQualifiedAccess>]
module internal TopicName =

    /// The name, or an ArgumentException that names the parameter if it is empty.
    let required (parameter: string) (topic: string) : string =
        if String.IsNullOrEmpty topic then
            raise (ArgumentException("The topic name is empty: give the name of a topic.", parameter))

        topic
