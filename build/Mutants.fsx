// Mutants: small changes of the sources, each of which a test must notice. They are made in a copy of the repository. The test projects are
// built once, without optimization, so that no code of a library is inlined into them. After a change, only its library is built again.
#load "MutantList.fs" "Programs.fsx" "Tests.fsx"

open System
open System.IO
open MutantList
open Programs
open Tests

let readMutants () : Mutant list = parse (File.ReadAllText(Path.Combine(root, "tests/Mutants/mutants.txt")))

/// Copies the files of the repository that are not ignored.
let copyRepository (target: string) =
    let _, files = capture (command "git" [ "ls-files"; "--cached"; "--others"; "--exclude-standard" ])

    for file in files |> List.filter (fun file -> File.Exists(Path.Combine(root, file))) do
        let copy = Path.Combine(target, file)
        Directory.CreateDirectory(Path.GetDirectoryName copy) |> ignore
        File.Copy(Path.Combine(root, file), copy, true)

/// The project file of a source file: the nearest one above it.
let rec projectOf (folder: string) : string =
    match Directory.GetFiles(folder, "*.?sproj") with
    | [||] -> projectOf (Path.GetDirectoryName folder)
    | projects -> projects[0]

/// Whether the tests of a mutant pass, in their short form. Tests that do not end within two minutes, or none at all, do not.
let passes (copy: string) (mutant: Mutant) : bool =
    let folder = Path.Combine(copy, "tests", mutant.Project, "bin", "Debug", "net10.0")
    let summary = Path.Combine(copy, "summary.xml")
    File.Delete summary
    let program = Path.Combine(folder, "LibKafka." + mutant.Project + ".dll")
    let arguments = [ program; "--no-spinner"; "--junit-summary"; summary; "--filter-test-list"; mutant.Tests ]

    let test = { command dotnet arguments with Environment = [ ("LIBKAFKA_QUICK", "1") ] }

    match captureWithin (TimeSpan.FromMinutes 2.0) test with
    | Some 0, _ -> File.Exists summary && (readSummary summary).Failed = 0
    | _ -> false

/// Makes a mutant, runs its tests and takes it back. Returns the complaint if no test has noticed it.
let tryMutant (copy: string) (mutant: Mutant) : string option =
    let file = Path.Combine(copy, mutant.File)
    let source = File.ReadAllText file

    if source.Split(mutant.Old).Length <> 2 then
        Some "the old text does not occur once"
    else
        let project = projectOf (Path.GetDirectoryName file)
        let assembly = Path.GetFileNameWithoutExtension project + ".dll"
        let built = Path.Combine(Path.GetDirectoryName project, "bin", "Debug", "net10.0", assembly)
        let used = Path.Combine(copy, "tests", mutant.Project, "bin", "Debug", "net10.0", assembly)
        let original = File.ReadAllBytes used
        File.WriteAllText(file, source.Replace(mutant.Old, mutant.New))

        try
            match capture (command dotnet [ "build"; project; "--no-dependencies"; "-c"; "Debug"; "-v"; "q"; "--nologo" ]) with
            | 0, _ ->
                File.Copy(built, used, true)
                if passes copy mutant then Some "no test has noticed it" else None
            | _, lines ->
                List.iter say lines
                Some "it does not compile"
        finally
            File.WriteAllText(file, source)
            File.WriteAllBytes(used, original)

/// Tries the mutants with these numbers; all of them if there are none.
let mutants (numbers: int list) =
    let chosen = readMutants () |> List.filter (fun mutant -> numbers.IsEmpty || List.contains mutant.Number numbers)
    let copy = Path.Combine(Path.GetTempPath(), "libkafka-mutants")
    if Directory.Exists copy then Directory.Delete(copy, true)
    step $"Copy the repository to {copy}" (fun () -> copyRepository copy)
    let there (command: Command) = { command with Folder = copy }

    require
        "Build the tests"
        [ for project in chosen |> List.map _.Project |> List.distinct ->
              there (command dotnet [ "build"; "tests/" + project; "-c"; "Debug"; "-v"; "q"; "--nologo" ]) ]

    let broken =
        step "Run the tests without a mutant" (fun () ->
            chosen |> List.distinctBy (fun mutant -> mutant.Project, mutant.Tests) |> List.filter (passes copy >> not))

    for mutant in broken do
        say $"these tests fail without a mutant: {mutant.Project}, {mutant.Tests}"

    let survivors =
        chosen
        |> List.filter (fun mutant ->
            let complaint = step (string mutant) (fun () -> tryMutant copy mutant)
            complaint |> Option.iter (fun complaint -> say ("   SURVIVED: " + complaint))
            complaint.IsSome)

    say $"{chosen.Length - survivors.Length} of {chosen.Length} mutants caught"
    Directory.Delete(copy, true)
    if survivors.IsEmpty && broken.IsEmpty then 0 else 1
