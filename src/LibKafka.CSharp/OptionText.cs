using System;
using System.Text;
using System.Threading;
using LibKafka.Protocol;

namespace LibKafka;

/// <summary>The text of records whose members are not printed as they are.</summary>
internal static class OptionText
{
    /// <summary>Appends the members. An infinite time is <c>no limit</c>.</summary>
    /// <returns>True: there are members.</returns>
    public static bool AppendMembers(this StringBuilder text, params ReadOnlySpan<(string Name, object? Value)> members)
    {
        var separator = "";
        foreach (var (name, value) in members)
        {
            text.Append(separator)
                .Append(name)
                .Append(" = ")
                .Append(value is TimeSpan time && time == Timeout.InfiniteTimeSpan ? "no limit" : value);
            separator = ", ";
        }

        return true;
    }

    /// <summary>The value of a config; <c>[secret]</c> if its name says that it is secret, or if the broker calls it sensitive.</summary>
    public static string? ConfigValue(string name, string? value, bool isSensitive = false) =>
        value is null ? null : ConfigName.shown(isSensitive, name, value);
}
