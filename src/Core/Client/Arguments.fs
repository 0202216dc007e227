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

/// Numbers and times that a caller gives. What cannot be used is an ArgumentOutOfRangeException that names the parameter.
[<RequireQualifiedAccess>]
module internal Argument =

    /// The number of a partition.
    let partition (parameter: string) (number: int) : unit =
        if number < 0 then
            raise (ArgumentOutOfRangeException(parameter, number, "The partition must not be negative: partitions are numbered from 0."))

    /// An offset from which to read.
    let offset (parameter: string) (offset: int64) : unit =
        if offset < 0L then
            let message =
                "The offset must not be negative. It is the offset of the next record to read: for the end and other places, use OffsetSpec."

            raise (ArgumentOutOfRangeException(parameter, offset, message))

    /// A time that a request carries. `name` is that of the setting.
    let time (parameter: string) (name: string) (time: TimeSpan) : unit =
        if time.Ticks < 0L && time.Ticks <> Threading.Timeout.InfiniteTimeSpan.Ticks then
            raise (ArgumentOutOfRangeException(parameter, time, name + " must not be negative."))
