namespace LibKafka;

/// <summary>How this library introduces itself to a broker.</summary>
public static class ClientSoftware
{
    /// <summary>The name a broker sees in ApiVersions requests and shows in its connection metrics.</summary>
    public const string Name = "libkafka-dotnet";
}
