namespace LibKafka.Topics

open System
open LibKafka.Wire
open LibKafka.Client

/// Membership in a group as a pure state machine of either protocol, without I/O and without a clock of its own.
[<RequireQualifiedAccess>]
module internal Membership =

    /// A member that is not in its group yet.
    let start (now: TimeSpan) (limits: Limits) (settings: GroupSettings) : MemberState =
        let matches, topics =
            match settings.Subscription with
            | Subscription.Topics names -> (fun _ -> false), Some(List.distinct names)
            | Subscription.Pattern pattern -> GroupSettings.matcher pattern |> Result.defaultValue (fun _ -> false), None

        { Settings = settings
          Limits = limits
          Matches = matches
          Stage = MemberStage.Outside
          Me = Member.outside settings
          Subscription = settings.Subscription
          Topics = topics
          IsNew = true
          Owned = Map.empty
          Releasing = Set.empty
          Previous = []
          Led = None
          Target = Set.empty
          IsTargetOld = false
          Names = Map.empty
          Unnamed = []
          Unstarted = Member.noUnstarted
          IsCalling = false
          IsCommitting = false
          Rejoin = None
          Heard = now
          Interval = settings.HeartbeatInterval
          BeatAt = now
          RetryAt = now
          Failures = 0
          TopicsAt = now
          CommitAt = now + defaultArg settings.CommitInterval TimeSpan.Zero
          Failure = None }

    let private isClassic (state: MemberState) = state.Settings.Protocol.IsClassic

    let private isStaying (state: MemberState) = state.Settings.InstanceId.IsSome && not state.Settings.StaticLeaves

    // The caller has committed before. A static member that may come back leaves a group of the new protocol temporarily; in a classic group it
    // sends nothing.
    let private close (state: MemberState) : MemberState * MemberAction list =
        let isKnown = state.Me.MemberId <> "" && not state.Stage.IsEnded
        let owned = Member.partitions state.Owned
        let drop = if owned.IsEmpty then [] else [ MemberAction.Drop owned ]
        let state = { Member.withoutUnstarted owned state with Owned = Map.empty; Releasing = Set.empty }

        if isKnown && not (isClassic state && isStaying state) then
            { state with Stage = MemberStage.Leaving; IsCalling = true }, drop @ [ MemberAction.Leave(state.Me, isStaying state) ]
        else
            { state with Stage = MemberStage.Ended }, drop

    let private subscribed (now: TimeSpan) (subscription: Subscription) (state: MemberState) : MemberState =
        let fresh = start now state.Limits { state.Settings with Subscription = subscription }

        { state with
            Subscription = subscription
            Matches = fresh.Matches
            Topics = fresh.Topics
            TopicsAt = now
            BeatAt = if isClassic state then state.BeatAt else min now state.BeatAt
            Rejoin =
                if isClassic state && state.Stage.IsMember then
                    Some "the subscription has changed"
                else
                    state.Rejoin }

    let private commitAnswered now (membership: GroupMembership) codes (state: MemberState) =
        let state = { state with IsCommitting = false }

        if membership <> state.Me || state.Stage.IsEnded then state, []
        elif isClassic state then ClassicMember.onCommitAnswered now codes state
        else ConsumerMember.onCommitAnswered now codes state

    // An answer ends the call to the coordinator that is outstanding.
    let private answered (state: MemberState) = { state with IsCalling = false }

    let private absorb (now: TimeSpan) (input: MemberInput) (state: MemberState) : MemberState * MemberAction list =
        match input with
        | MemberInput.TimePassed -> state, []
        | MemberInput.Released when state.Releasing.IsEmpty -> state, []
        | MemberInput.Released when isClassic state -> ClassicMember.onReleased now state, []
        | MemberInput.Released -> ConsumerMember.onReleased now state, []
        | MemberInput.Subscribed subscription -> subscribed now subscription state, []
        | MemberInput.Closing -> close state
        | MemberInput.Joined result -> ClassicMember.onJoined now result (answered state)
        | MemberInput.Synced result -> ClassicMember.onSynced now result (answered state)
        | MemberInput.Beaten result -> ClassicMember.onBeaten now result (answered state)
        | MemberInput.Answered result -> ConsumerMember.onAnswered now result (answered state)
        | MemberInput.Left -> { answered state with Stage = MemberStage.Ended }, []
        | MemberInput.TopicsSeen result when isClassic state -> ClassicMember.onTopicsSeen now result (answered state)
        | MemberInput.TopicsSeen result -> ConsumerMember.onTopicsSeen now result (answered state)
        | MemberInput.OffsetsFetched result -> Member.offsetsFetched now result state
        | MemberInput.CommitAnswered(membership, codes) -> commitAnswered now membership codes state

    // Each part gets the state that the one before has left.
    let private andThen (next: MemberState -> MemberState * MemberAction list) (state: MemberState, actions: MemberAction list) =
        let state, more = next state
        state, actions @ more

    /// What happens next: the member's new state, and what it does.
    let step (now: TimeSpan) (input: MemberInput) (state: MemberState) : MemberState * MemberAction list =
        let decide = if isClassic state then ClassicMember.decide now else ConsumerMember.decide now

        absorb now input state
        |> andThen (fun state -> if state.Stage.IsEnded then state, [] else decide state)
        |> andThen (Member.askOffsets now)
        |> andThen (Member.commitInTime now)

    /// When `TimePassed` is due if nothing else happens.
    let due (state: MemberState) : TimeSpan =
        let calls = if isClassic state then ClassicMember.due state else ConsumerMember.due state

        let offsets =
            if state.Stage.IsMember && not state.Unstarted.IsAsking && not state.Unstarted.Waiting.IsEmpty then
                state.Unstarted.At
            else
                Member.never

        let commit =
            if state.Stage.IsMember && state.Settings.CommitInterval.IsSome && not state.IsCommitting then
                state.CommitAt
            else
                Member.never

        min calls (min offsets commit)
