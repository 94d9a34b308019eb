using Microsoft.Testing.Platform.Builder;

namespace Archiver.Testing.Progress;

/// <summary>What the generated entry point of a test project calls; tests/Directory.Build.targets names it.</summary>
public static class TestingPlatformBuilderHook
{
    /// <summary>Adds <see cref="ProgressLog"/>.</summary>
    public static void AddExtensions(ITestApplicationBuilder builder, string[] arguments)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.TestHost.AddDataConsumer(_ => new ProgressLog(Environment.GetEnvironmentVariable(ProgressLog.Variable)));
    }
}
