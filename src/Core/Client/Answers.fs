namespace LibKafka.Client

open System.Collections.Generic

/// The answers of a response about several items.
[<RequireQualifiedAccess>]
module internal Answers =

    let private fill (isLess: 'Answer -> 'Answer -> bool) (answers: ('Key * 'Answer) seq) : 'Key -> 'Answer option =
        let found = Dictionary<'Key, 'Answer>()

        for key, answer in answers do
            match found.TryGetValue key with
            | true, earlier when not (isLess earlier answer) -> ()
            | _ -> found[key] <- answer

        fun key ->
            match found.TryGetValue key with
            | true, answer -> Some answer
            | false, _ -> None

    /// Finds the first answer about something, in constant time.
    let first (answers: ('Key * 'Answer) seq) : 'Key -> 'Answer option = fill (fun _ _ -> false) answers

    /// Finds answers by what they are about, each in constant time. If there are several about the same, it is the first that is not a failure or,
    /// if all are, the first: Kafka 4.0.0 repeats groups, and may begin with GROUP_ID_NOT_FOUND.
    let byKey (isFailure: 'Answer -> bool) (answers: ('Key * 'Answer) seq) : 'Key -> 'Answer option =
        fill (fun earlier answer -> isFailure earlier && not (isFailure answer)) answers
