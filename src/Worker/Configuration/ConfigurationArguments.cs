using Archiver.Core.Diagnostics;

namespace Archiver.Worker.Configuration;

/// <summary>
/// Settings on the command line: <c>--Archiver:Batch:Sessions=100</c>, also <c>--Serilog:...</c>. They are taken out before the verbs are
/// parsed, because their names are open. A secret does not belong there: other users of the machine see command lines.
/// </summary>
internal static class ConfigurationArguments
{
    private static readonly string[] Sections = ["--Archiver:", "--Serilog:"];

    /// <summary>The arguments for the verbs, and the settings in the form that the configuration's own reader takes.</summary>
    /// <exception cref="ArchiverException">A setting comes without its value.</exception>
    public static (string[] Arguments, string[] Settings) Split(string[] arguments)
    {
        var settings = arguments.TakeWhile(a => a != "--").Where(IsSetting).ToArray();
        if (Array.Find(settings, s => !s.Contains('=', StringComparison.Ordinal)) is { } bare)
            throw new ArchiverException(FailureKind.Configuration, $"{bare} needs its value in the same argument: {bare}=value");
        return ([.. arguments.Where(a => !settings.Contains(a))], settings);
    }

    private static bool IsSetting(string argument) => Sections.Any(s => argument.StartsWith(s, StringComparison.OrdinalIgnoreCase));
}
