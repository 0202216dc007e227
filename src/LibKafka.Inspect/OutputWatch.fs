/// Notices that no one reads standard output any more, also while there is nothing to write.
module LibKafka.Inspect.OutputWatch

open System
open System.Runtime.InteropServices
open System.Threading

/// An entry of the array that `poll` of Unix takes.
[<Struct; StructLayout(LayoutKind.Sequential)>]
type private PollDescriptor = { Descriptor: int; Events: int16; Returned: int16 }

[<DllImport("libc", SetLastError = true)>]
extern int private poll(PollDescriptor& descriptors, unativeint count, int timeout)

/// POLLERR and POLLHUP: the other end of the pipe is closed.
[<Literal>]
let private Closed = 0x18s

/// The error number of a call that a signal has interrupted.
[<Literal>]
let private Interrupted = 4

/// Waits until the reader of standard output has gone. False if the system cannot say.
let rec private waitForReader () : bool =
    let mutable output = { Descriptor = 1; Events = 0s; Returned = 0s }

    match poll (&output, 1un, -1) with
    | 1 -> output.Returned &&& Closed <> 0s
    | -1 when Marshal.GetLastPInvokeError() = Interrupted -> waitForReader ()
    | _ -> false

/// Ends the process with exit code 0 when the reader of standard output has gone. Unix only.
let exitWhenClosed () =
    let watch () =
        try
            if waitForReader () then exit 0
        with
        | :? DllNotFoundException
        | :? EntryPointNotFoundException -> ()

    Thread(watch, IsBackground = true, Name = "output").Start()
